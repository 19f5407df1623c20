"""What a training step costs on virtual GPUs, against the same step in plain CPU torch.

    python benchmarks/training_step.py [DIM ...]

20 Linear layers with ReLU over 5 virtual GPUs, batch 64, SGD, one thread. Plain steps run in a
second process that has no virtual GPUs; the two take turns, so that the ratio means something on a
busy machine. The figure is the median ratio.
"""

from __future__ import annotations

import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection

import torch
from torch import nn

from grader import vgpu

DEPTH, BATCH = 20, 64
ROUNDS = {64: 80, 512: 25, 1024: 10, 2048: 5}
WARM_UP = 2


class Chain(nn.Module):
    def __init__(self, width: int, devices: list[torch.device]) -> None:
        super().__init__()
        self.devices = devices
        self.layers = nn.ModuleList(nn.Linear(width, width).to(d) for d in devices)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer, device in zip(self.layers, self.devices, strict=True):
            x = torch.relu(layer(x.to(device)))
        return x


def training(width: int, devices: list[torch.device]) -> Callable[[], float]:
    torch.manual_seed(0)
    model = Chain(width, devices)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    x, y = torch.randn(BATCH, width), torch.randn(BATCH, width)
    loss_fn = nn.MSELoss()

    def step() -> float:
        optimizer.zero_grad()
        loss = loss_fn(model(x), y.to(devices[-1]))
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def timed(step: Callable[[], float]) -> tuple[float, float]:
    """The loss of one step, and its seconds."""
    start = time.perf_counter()
    loss = step()
    return loss, time.perf_counter() - start


def plain_steps(pipe: Connection) -> None:
    """In the second process: for each width asked for, the loss and seconds of one more step."""
    torch.set_num_threads(1)
    steps: dict[int, Callable[[], float]] = {}
    while width := pipe.recv():
        if width not in steps:
            steps = {width: training(width, [torch.device("cpu")] * DEPTH)}
        pipe.send(timed(steps[width]))


def compare(width: int, pipe: Connection) -> None:
    virtual = training(width, [torch.device("cuda", i * 5 // DEPTH) for i in range(DEPTH)])
    pairs = []
    for _ in range(WARM_UP + ROUNDS.get(width, 10)):
        pipe.send(width)
        (loss, plain), (same, own) = pipe.recv(), timed(virtual)
        assert loss == same, f"losses differ: {loss} on the CPU, {same} on virtual GPUs"
        pairs.append((plain, own))
        vgpu.reset()
    pairs = pairs[WARM_UP:]
    cpu, gpu = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(b / a for a, b in pairs)
    print(f"{width:>6}{cpu * 1e3:>10.2f}{gpu * 1e3:>10.2f}{ratio:>8.2f}", flush=True)


def main(widths: list[int]) -> None:
    here, there = multiprocessing.Pipe()
    spawn = multiprocessing.get_context("spawn")
    other = spawn.Process(target=plain_steps, args=(there,), daemon=True)
    other.start()
    vgpu.install(5)
    torch.set_num_threads(1)
    print(f"{'DIM':>6}{'CPU ms':>10}{'vgpu ms':>10}{'ratio':>8}")
    for width in widths:
        compare(width, here)
    here.send(0)
    other.join()


if __name__ == "__main__":
    main([int(text) for text in sys.argv[1:]] or list(ROUNDS))
