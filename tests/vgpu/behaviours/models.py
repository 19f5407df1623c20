"""Models in the shape of the course's, to be trained on any devices."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import nn

DIM, BATCH = 16, 8


class LayerChain(nn.Module):
    """Linear / ReLU layers, each on its device; data moves just before the layer."""

    def __init__(self, devices: Sequence[torch.device]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Sequential(nn.Linear(DIM, DIM), nn.ReLU()).to(device) for device in devices
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in self.layers:
            x = x.to(next(layer.parameters()).device)
            x = layer(x)
        return x


MOVES = "x = x.to(next(layer.parameters()).device)"
RUNS = "x = layer(x)"


def even(depth: int, gpus: int) -> list[torch.device]:
    return [torch.device("cuda", i * gpus // depth) for i in range(depth)]


def round_robin(depth: int, gpus: int) -> list[torch.device]:
    return [torch.device("cuda", i % gpus) for i in range(depth)]


def host(depth: int) -> list[torch.device]:
    return [torch.device("cpu")] * depth


def train(
    devices: Sequence[torch.device],
    optimizer: Callable[..., torch.optim.Optimizer],
    steps: int = 4,
) -> tuple[list[float], list[torch.Tensor]]:
    """Losses of a few steps, and the last gradients on the CPU."""
    torch.manual_seed(3)
    model = LayerChain(devices)
    optimise = optimizer(model.parameters())
    loss_fn = nn.MSELoss()
    losses = []
    for _ in range(steps):
        x = torch.randn(BATCH, DIM).to(devices[0])
        y = torch.randn(BATCH, DIM).to(devices[-1])
        optimise.zero_grad()
        loss = loss_fn(model(x), y)
        loss.backward()
        optimise.step()
        losses.append(loss.item())
    return losses, [p.grad.cpu() for p in model.parameters()]
