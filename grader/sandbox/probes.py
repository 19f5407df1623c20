"""What a worker can be asked to do with a built model: one forward pass, a few training steps."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from grader import vgpu
from grader.records import Json
from grader.sandbox import tensors
from grader.sandbox.faults import InterfaceGap, StudentFault, student_fault
from grader.sandbox.model import Build, load_weights


@dataclass
class Seen:
    """One observation: facts as JSON, numbers as tensors (sent as float32 bytes)."""

    facts: Json
    numbers: list[torch.Tensor]

    def buffers(self) -> list[bytes]:
        return [json.dumps(self.facts).encode(), *map(tensors.to_bytes, self.numbers)]


def forward(build: Build, folder: Path, weights: list[torch.Tensor], batch: torch.Tensor) -> Seen:
    """One forward pass on a batch that starts on cuda:0. Numbers: [output]."""
    load_weights(build.model, weights)
    x = batch.to("cuda:0")
    vgpu.reset()
    output = _call(build.model, x, folder)
    trace = vgpu.trace()
    facts = {"trace": trace.to_json(), "device": str(output.device), "shape": list(output.shape)}
    return Seen(facts, [output])


def train(
    build: Build,
    folder: Path,
    weights: list[torch.Tensor],
    batch: torch.Tensor,
    target: torch.Tensor,
    *,
    steps: int,
    rate: float,
) -> Seen:
    """`steps` steps of SGD on the mean squared error. Numbers: the parameters afterwards.

    The target lies where the output is, as a working script puts it.
    """
    model = build.model
    load_weights(model, weights)
    x = batch.to("cuda:0")
    vgpu.reset()
    losses: list[float] = []
    try:
        optimizer = torch.optim.SGD(model.parameters(), lr=rate)
        for _ in range(steps):
            output = _call(model, x, folder)
            loss = nn.functional.mse_loss(output, target.to(output.device))
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            losses.append(float(loss.detach().cpu()))
    except (StudentFault, InterfaceGap):
        raise
    except BaseException as error:
        raise student_fault(error, folder) from error
    facts = {"trace": vgpu.trace().to_json(), "losses": losses}
    return Seen(facts, list(model.parameters()))


def _call(model: nn.Module, x: torch.Tensor, folder: Path) -> torch.Tensor:
    try:
        output = model(x)
    except BaseException as error:
        raise student_fault(error, folder) from error
    if isinstance(output, (tuple, list, dict)):
        raise InterfaceGap(f"forward returns a {type(output).__name__}, not one tensor")
    if not isinstance(output, torch.Tensor):
        raise StudentFault(f"forward returned {type(output).__name__}, expected a tensor")
    return output
