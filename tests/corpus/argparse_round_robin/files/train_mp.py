#!/usr/bin/env python3
"""Model parallel MLP over any number of GPUs (HW3).

examples
    ./train_mp.py --depth 24
    ./train_mp.py --depth 20 --gpus 2
    ./train_mp.py --depth 20 --gpus 5 --show-layers
"""
import argparse
import time
from typing import List, Optional

import torch
from torch import nn, optim


def parse_args() -> argparse.Namespace:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--dim", type=int, default=4096)
    p.add_argument("--depth", type=int, default=6)
    p.add_argument("--batch-size", type=int, default=64)
    p.add_argument("--steps", type=int, default=20)
    p.add_argument("--warmup", type=int, default=5)
    p.add_argument("--lr", type=float, default=0.01)
    p.add_argument("--gpus", type=int, default=None, help="use only the first N GPUs (default: all)")
    p.add_argument("--show-layers", action="store_true")
    return p.parse_args()


class LargeLinearModelMP(nn.Module):
    def __init__(self, dim: int, depth: int, n_gpus: Optional[int] = None):
        super().__init__()
        available = torch.cuda.device_count()
        self.n_gpus = min(n_gpus, available) if n_gpus else available
        self.layers = nn.ModuleList(
            nn.Sequential(nn.Linear(dim, dim), nn.ReLU()).to(f"cuda:{i % self.n_gpus}")
            for i in range(depth)
        )

    def layer_devices(self) -> List[torch.device]:
        return [next(layer.parameters()).device for layer in self.layers]

    def forward(self, x):
        for layer in self.layers:
            layer_device = next(layer.parameters()).device
            x = x.to(layer_device)
            x = layer(x)
        return x


def count_transfers(devices) -> int:
    """How many times the activation changes GPU in one forward pass."""
    return sum(1 for a, b in zip(devices, devices[1:]) if a != b)


def synchronize(n_gpus: int) -> None:
    for g in range(n_gpus):
        torch.cuda.synchronize(g)


def main() -> None:
    args = parse_args()
    model = LargeLinearModelMP(args.dim, args.depth, args.gpus)
    devices = model.layer_devices()
    if args.show_layers:
        for i, d in enumerate(devices):
            print(f"layer {i:>3}: {d}")

    optimizer = optim.SGD(model.parameters(), lr=args.lr)
    loss_fn = nn.MSELoss()
    times = []
    for step in range(args.steps):
        x = torch.randn(args.batch_size, args.dim, device=devices[0])
        y = torch.randn(args.batch_size, args.dim, device=devices[-1])
        synchronize(model.n_gpus)
        t0 = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        loss = loss_fn(model(x), y)
        loss.backward()
        optimizer.step()
        synchronize(model.n_gpus)
        times.append(time.perf_counter() - t0)
        print(f"step {step:3d}  loss {loss.item():.4f}  {times[-1] * 1e3:.2f} ms")

    kept = times[args.warmup:] or times
    print(f"\ndepth {args.depth}, {model.n_gpus} GPU(s)")
    print(f"mean step time   {1e3 * sum(kept) / len(kept):.2f} ms")
    print(f"transfers        {count_transfers(devices)} per forward pass")
    for g in range(model.n_gpus):
        print(f"GPU {g} peak mem   {torch.cuda.max_memory_allocated(g) / 2**20:.0f} MB")


if __name__ == "__main__":
    main()
