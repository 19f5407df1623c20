"""
Homework 3 -- model parallelism with one pipeline stage per GPU.

Instead of asking every layer where it lives (as the lecture code does), the
layers of one GPU are collected in a single nn.Sequential ("stage").
"""
import time

import torch
from torch import nn, optim

DIM = 4096
DEPTH = 20
BATCH_SIZE = 64
STEPS = 20
WARMUP = 5


class LargeLinearModelMP(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
        n_gpu = torch.cuda.device_count()
        base, extra = divmod(depth, n_gpu)

        self.devices = [torch.device("cuda", k) for k in range(n_gpu)]
        self.stages = nn.ModuleList()
        for k, dev in enumerate(self.devices):
            n_here = base + (1 if k < extra else 0)
            parts = []
            for _ in range(n_here):
                parts += [nn.Linear(dim, dim), nn.ReLU()]
            self.stages.append(nn.Sequential(*parts).to(dev))

    def forward(self, x):
        for dev, stage in zip(self.devices, self.stages):
            x = x.to(dev)          # at most one hop per stage
            x = stage(x)
        return x


def sync_all():
    for k in range(torch.cuda.device_count()):
        torch.cuda.synchronize(k)


def main():
    torch.manual_seed(1)
    model = LargeLinearModelMP(DIM, DEPTH)
    for k, stage in enumerate(model.stages):
        print(f"stage {k}: {len(stage) // 2} layers on {next(stage.parameters()).device}")

    opt = optim.SGD(model.parameters(), lr=0.01)
    criterion = nn.MSELoss()
    first, last = model.devices[0], model.devices[-1]

    durations = []
    for step in range(STEPS):
        x = torch.randn(BATCH_SIZE, DIM).to(first)
        y = torch.randn(BATCH_SIZE, DIM).to(last)

        sync_all()
        t0 = time.perf_counter()
        opt.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        opt.step()
        sync_all()
        durations.append(time.perf_counter() - t0)

    kept = durations[WARMUP:]
    print(f"DEPTH={DEPTH}  GPUs={len(model.devices)}  mean step {1e3 * sum(kept) / len(kept):.2f} ms")
    for k in range(len(model.devices)):
        print(f"  cuda:{k}  peak {torch.cuda.max_memory_allocated(k) / 2**20:.1f} MiB")


if __name__ == "__main__":
    main()
