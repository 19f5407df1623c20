"""What a worker can be asked to do with a built model: one forward pass, a few training steps."""

from __future__ import annotations

import inspect
import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import nn

from grader import vgpu
from grader.records import Json
from grader.sandbox import places, tensors
from grader.sandbox.faults import InterfaceGap, StudentFault, described
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
    x = _fed(build.model, batch)
    vgpu.reset()
    output = _call(build.model, x, folder)
    facts = {
        "trace": traced(folder),
        "shape": list(output.shape),
        "dtype": str(output.dtype).removeprefix("torch."),
    }
    return Seen(facts, [output])


def outline(build: Build, folder: Path, shape: list[int]) -> Seen:
    """One forward pass of which only the trace matters, on a batch of no particular values."""
    x = _fed(build.model, torch.empty(shape))
    vgpu.reset()
    _call(build.model, x, folder)
    return Seen({"trace": traced(folder)}, [])


def traced(folder: Path) -> Json:
    """The trace so far, its lines as places in the hand-in."""
    return vgpu.trace().with_lines(partial(places.named, folder=folder)).to_json()


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
    """`steps` steps of SGD on the mean squared error.

    Numbers: the gradients of the first step, then the parameters after the last. The target lies
    where the output is, as a working script puts it.
    """
    model = build.model
    load_weights(model, weights)
    x = _fed(model, batch)
    vgpu.reset()
    losses: list[float] = []
    gradients: list[torch.Tensor] = []
    try:
        optimizer = torch.optim.SGD(model.parameters(), lr=rate)
        for _ in range(steps):
            output = _call(model, x, folder)
            if output.shape != target.shape:
                raise InterfaceGap(
                    f"an output of shape {tuple(output.shape)} has no target of that shape here"
                )
            loss = nn.functional.mse_loss(output, target.to(output.device, output.dtype))
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            gradients = gradients or [_gradient(p) for p in model.parameters()]
            optimizer.step()
            losses.append(float(loss.detach().cpu()))
    except (StudentFault, InterfaceGap):
        raise
    except BaseException as error:
        raise described(error, folder) from error
    facts = {"trace": traced(folder), "losses": losses}
    return Seen(facts, [*gradients, *model.parameters()])


def _gradient(parameter: nn.Parameter) -> torch.Tensor:
    """What backpropagation left, on the host (it must not count as the GPU's memory), or zeros."""
    found = parameter.grad
    if found is None:
        return torch.zeros(parameter.shape)
    return found.detach().to_dense().cpu()


def _fed(model: nn.Module, batch: torch.Tensor) -> torch.Tensor:
    """The batch on cuda:0, in the precision of the model's parameters."""
    kinds = (p.dtype for p in model.parameters() if p.dtype.is_floating_point)
    return batch.to("cuda:0", next(kinds, batch.dtype))


def _call(model: nn.Module, x: torch.Tensor, folder: Path) -> torch.Tensor:
    _expects_one_tensor(model)
    try:
        output = model(x)
    except BaseException as error:
        raise described(error, folder) from error
    if output is None:
        raise StudentFault("forward returns nothing, expected a tensor")
    if not isinstance(output, torch.Tensor):
        raise InterfaceGap(f"forward returns a {type(output).__name__}, not one tensor")
    return output


def _expects_one_tensor(model: nn.Module) -> None:
    """Raise InterfaceGap where forward needs more than the batch."""
    try:
        signature = inspect.signature(model.forward)
    except (TypeError, ValueError):
        return  # it cannot be read; the call will tell
    try:
        signature.bind(None)
    except TypeError as error:
        raise InterfaceGap(f"forward{signature} does not take one tensor ({error})") from error
