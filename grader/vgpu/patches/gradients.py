"""Gradients that arrive from another GPU are refused, as autograd does for CUDA.

Autograd lets tensor subclasses, and so virtual tensors, pass its own check. Foreign gradients
come in at two doors, and are looked at there: what a custom Function returns, and what
backward() and grad() are given to start from. Single numbers are moved, as autograd does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import BackwardCFunction

from grader.vgpu import devices
from grader.vgpu.explain import note
from grader.vgpu.tensor import VirtualTensor

_make_grads: Callable[..., tuple[Any, ...]] = torch.autograd._make_grads


def install() -> None:
    for name in ("apply", "apply_boxed"):
        if hasattr(BackwardCFunction, name):
            setattr(BackwardCFunction, name, _checked(getattr(BackwardCFunction, name)))
    setattr(torch.autograd, "_make_grads", make_grads)  # noqa: B010 - typed as a function


def make_grads(outputs: Sequence[Any], grads: Sequence[Any], is_grads_batched: bool) -> Any:
    """What backward() and grad() start from."""
    made = _make_grads(outputs, grads, is_grads_batched)
    return tuple(
        _at_home(grad, _shown(output.device), f"invalid gradient at index {index}")
        if isinstance(output, Tensor)
        else grad
        for index, (output, grad) in enumerate(zip(outputs, made, strict=True))
    )


def _checked(apply: Callable[..., Any]) -> Callable[..., Any]:
    """`apply` of a custom Function's node: its gradients must be where the inputs were."""

    def checked(self: Any, *args: Any) -> Any:
        result = apply(self, *args)
        grads = list(result) if isinstance(result, tuple) else [result]
        if not any(isinstance(grad, Tensor) for grad in grads):
            return result
        # One edge per tensor argument; an argument that needs a gradient is a tensor.
        edges = iter([(i, edge) for i, edge in enumerate(self.next_functions) if edge[0]])
        for position, needed in enumerate(self.needs_input_grad[: len(grads)]):
            if not needed:
                continue
            index, (node, slot) = next(edges)
            words = f"Function {self.name()} returned an invalid gradient at index {index}"
            home = _shown(node._input_metadata[slot].device)
            grads[position] = _at_home(grads[position], home, words)
        return tuple(grads) if isinstance(result, tuple) else grads[0]

    return checked


def _shown(device: torch.device) -> torch.device:
    return devices.shown(device.index) if device.type == devices.CARRIER else device


def _at_home(grad: Any, home: torch.device, words: str) -> Any:
    if not isinstance(grad, Tensor) or _shown(grad.device) == home:
        return grad
    if not isinstance(grad, VirtualTensor) and home.type != "cuda":
        return grad
    if grad.dim() == 0:
        return grad.to(home)
    raise note(RuntimeError(f"{words} - expected device {home} but got {grad.device}"))
