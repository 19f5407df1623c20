"""Dry mode: 200 layers of width 16384 on 5 GPUs, built, run and traced without data.

    python benchmarks/dry_mode.py [MEMORY, such as 141GB]

Prints seconds and the process's memory after `import torch` and what the first `Module.to` and the
first optimizer import; then whether the forward pass and the training step fit.
"""

from __future__ import annotations

import resource
import sys
import time

from grader import vgpu

vgpu.install(5, data="meta", memory=None if len(sys.argv) < 2 else sys.argv[1])

import torch  # noqa: E402 - installed first, as in a script
import torch._dynamo  # noqa: E402
import torch.distributed.tensor  # noqa: E402
from torch import nn  # noqa: E402

WIDTH, DEPTH, GPUS = 16384, 200, 5


def resident() -> int:
    """Largest size of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 // 10**6


def train() -> None:
    where = [f"cuda:{i * GPUS // DEPTH}" for i in range(DEPTH)]
    layers = nn.ModuleList(nn.Linear(WIDTH, WIDTH) for _ in range(DEPTH))
    for layer, device in zip(layers, where, strict=True):
        layer.to(device)
    optimizer = torch.optim.SGD(layers.parameters(), lr=0.01)
    x, y = torch.randn(64, WIDTH), torch.randn(64, WIDTH)
    for layer, device in zip(layers, where, strict=True):
        x = torch.relu(layer(x.to(device)))
    loss = nn.functional.mse_loss(x, y.to(x.device))
    held = ", ".join(f"{torch.cuda.memory_allocated(gpu) / 2**30:.1f}" for gpu in range(GPUS))
    print(f"forward: fits, GiB by GPU: {held}")
    loss.backward()
    optimizer.step()
    print("training step: fits")


before, start = resident(), time.perf_counter()
try:
    train()
except torch.OutOfMemoryError as error:
    print("training step:", str(error).partition(". Of the")[0])
print(f"{time.perf_counter() - start:.2f} s, {resident()} MB ({before} MB after import)")
