"""
Homework 3 - model parallelism with LargeLinearModelMP

Usage
    CUDA_VISIBLE_DEVICES=0,1        python hw3_model_parallel.py --depth 6
    CUDA_VISIBLE_DEVICES=0,1,2,3,4  python hw3_model_parallel.py --depth 20
"""
import argparse
import time

import numpy as np
import torch
import torch.nn as nn
import torch.optim as optim

DIM = 4096
DEPTH = 20
BATCH_SIZE = 64
STEPS = 20
WARMUP = 5


class LargeLinearModelMP(nn.Module):
    """A stack of Linear+ReLU blocks, spread evenly over every visible GPU."""

    def __init__(self, dim, depth):
        super().__init__()
        n_gpus = torch.cuda.device_count()
        if n_gpus == 0:
            raise RuntimeError("this homework needs at least one GPU")

        # parts[g] = the indices of the layers that live on GPU g
        parts = np.array_split(np.arange(depth), n_gpus)

        self.layers = nn.ModuleList()
        for gpu, indices in enumerate(parts):
            for _ in indices:
                block = nn.Sequential(nn.Linear(dim, dim), nn.ReLU())
                self.layers.append(block.to(f"cuda:{gpu}"))

    @property
    def first_device(self):
        return next(self.layers[0].parameters()).device

    @property
    def last_device(self):
        return next(self.layers[-1].parameters()).device

    def forward(self, x):
        for layer in self.layers:
            layer_device = next(layer.parameters()).device
            x = x.to(layer_device)
            x = layer(x)
        return x


def sync_all():
    for g in range(torch.cuda.device_count()):
        torch.cuda.synchronize(g)


def train(model, steps=STEPS):
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    loss_fn = nn.MSELoss()
    times = []
    for step in range(steps):
        x = torch.randn(BATCH_SIZE, DIM, device=model.first_device)
        y = torch.randn(BATCH_SIZE, DIM, device=model.last_device)
        sync_all()
        t0 = time.perf_counter()

        optimizer.zero_grad()
        loss = loss_fn(model(x), y)
        loss.backward()
        optimizer.step()

        sync_all()
        times.append(time.perf_counter() - t0)
        print(f"step {step:2d}  loss {loss.item():.4f}  {times[-1] * 1000:.2f} ms")
    return times


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--depth", type=int, default=DEPTH)
    args = parser.parse_args()

    model = LargeLinearModelMP(DIM, args.depth)
    for i, layer in enumerate(model.layers):
        print(f"layer {i:2d} -> {next(layer.parameters()).device}")

    times = train(model)
    kept = times[WARMUP:]
    print(f"DEPTH={args.depth}  GPUs={torch.cuda.device_count()}  "
          f"step time {1000 * sum(kept) / len(kept):.2f} ms")
    for g in range(torch.cuda.device_count()):
        print(f"  GPU {g}: {torch.cuda.max_memory_allocated(g) / 2**20:.1f} MB")


if __name__ == "__main__":
    main()
