"""
Home Work 3 - model parallel training of a big linear model.

    python hw3.py task2          # DEPTH 6, 12, 24, 48
    CUDA_VISIBLE_DEVICES=0,1 python hw3.py task4
    CUDA_VISIBLE_DEVICES=0,1,2,3,4 python hw3.py task4
"""
import sys
import time

import torch
import torch.nn as nn
import torch.optim as optim

# Configuration
DIM = 4096
DEPTH = 20
BATCH_SIZE = 64
STEPS = 30
WARMUP = 10


class LargeLinearModelMP(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
        num_gpus = torch.cuda.device_count()
        if num_gpus == 0:
            raise RuntimeError("No GPU found")
        self.devices = [torch.device(f"cuda:{g}") for g in range(num_gpus)]

        # every GPU gets `base` layers, the first `extra` GPUs get one more
        base, extra = divmod(depth, num_gpus)
        self.layers = nn.ModuleList()
        for g, device in enumerate(self.devices):
            count = base + 1 if g < extra else base
            for _ in range(count):
                layer = nn.Sequential(nn.Linear(dim, dim), nn.ReLU())
                self.layers.append(layer.to(device))

    def forward(self, x):
        for layer in self.layers:
            layer_device = next(layer.parameters()).device
            x = x.to(layer_device)
            x = layer(x)
        return x


def train(dim, depth, steps=STEPS):
    """Returns the average step time in seconds, without the warm-up steps."""
    model = LargeLinearModelMP(dim, depth)
    for i, layer in enumerate(model.layers):
        print(f"  layer {i:2d} -> {next(layer.parameters()).device}")

    first = next(model.layers[0].parameters()).device
    last = next(model.layers[-1].parameters()).device
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    loss_fn = nn.MSELoss()

    times = []
    for step in range(steps):
        x = torch.randn(BATCH_SIZE, dim).to(first)
        y = torch.randn(BATCH_SIZE, dim).to(last)

        sync_all()
        start = time.perf_counter()
        optimizer.zero_grad()
        loss = loss_fn(model(x), y)
        loss.backward()
        optimizer.step()
        sync_all()
        times.append(time.perf_counter() - start)

    used = times[WARMUP:] or times
    return sum(used) / len(used)


def sync_all():
    for g in range(torch.cuda.device_count()):
        torch.cuda.synchronize(g)


def task2():
    for depth in (6, 12, 24, 48):
        print(f"DEPTH {depth}: {train(DIM, depth) * 1000:.2f} ms")
        torch.cuda.empty_cache()


def task4():
    t = train(DIM, DEPTH)
    print(f"{torch.cuda.device_count()} GPUs: {t * 1000:.2f} ms per step")
    for g in range(torch.cuda.device_count()):
        mb = torch.cuda.max_memory_allocated(g) / 1024**2
        print(f"  GPU {g}: {mb:.1f} MB")


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1] == "task2":
        task2()
    else:
        task4()
