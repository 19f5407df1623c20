"""Homework 3: model parallelism.

    CUDA_VISIBLE_DEVICES=0,1 python homework3.py --depth 20
    CUDA_VISIBLE_DEVICES=0,1,2,3,4 python homework3.py --depth 20
"""
import argparse
import statistics
import time

import torch
import torch.nn as nn
import torch.optim as optim

DIM = 4096
DEPTH = 20
BATCH_SIZE = 64
STEPS = 20
WARMUP = 5


class LargeLinearModelMP(nn.Module):
    """Architecture only. Where the layers live is decided in distribute()."""

    def __init__(self, dim, depth):
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Sequential(nn.Linear(dim, dim), nn.ReLU()) for _ in range(depth)
        )

    def forward(self, x):
        for layer in self.layers:
            layer_device = next(layer.parameters()).device
            x = x.to(layer_device)
            x = layer(x)
        return x


def distribute(model):
    """Send every layer of an already built model to its GPU (in place)."""
    n = torch.cuda.device_count()
    if n == 0:
        raise RuntimeError("no CUDA device visible")
    depth = len(model.layers)
    for i in range(depth):
        gpu = i * n // depth
        model.layers[i].to(f"cuda:{gpu}")
    return n


def where(module):
    return next(module.parameters()).device


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--dim", type=int, default=DIM)
    ap.add_argument("--depth", type=int, default=DEPTH)
    ap.add_argument("--steps", type=int, default=STEPS)
    args = ap.parse_args()

    model = LargeLinearModelMP(args.dim, args.depth)
    n = distribute(model)
    # the optimizer has to come after distribute()
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    loss_fn = nn.MSELoss()

    for i, layer in enumerate(model.layers):
        print(f"layer {i:2d} -> {where(layer)}")

    target_device = where(model.layers[-1])
    times = []
    for step in range(args.steps):
        x = torch.randn(BATCH_SIZE, args.dim)      # stays on the CPU, forward() takes it along
        y = torch.randn(BATCH_SIZE, args.dim).to(target_device)
        torch.cuda.synchronize()
        t0 = time.perf_counter()
        optimizer.zero_grad()
        loss = loss_fn(model(x), y)
        loss.backward()
        optimizer.step()
        for g in range(n):
            torch.cuda.synchronize(g)
        times.append(time.perf_counter() - t0)
        print(f"step {step:2d}  loss {loss.item():.4f}  {times[-1] * 1000:.2f} ms")

    rest = times[WARMUP:] or times
    print(f"median step: {statistics.median(rest) * 1000:.2f} ms")
    for g in range(n):
        print(f"cuda:{g} peak {torch.cuda.max_memory_allocated(g) / 2**20:.1f} MiB")


if __name__ == "__main__":
    main()
