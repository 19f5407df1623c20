"""torch.func, forward-mode derivatives, torch.compile and torch.export on virtual GPUs."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from grader.vgpu.dispatch import execute, register
from grader.vgpu.explain import note
from grader.vgpu.tensor import VirtualTensor

_from_tensor: Any = FakeTensorMode.from_tensor


def install() -> None:
    setattr(FakeTensorMode, "from_tensor", _fake)  # noqa: B010
    setattr(torch, "compile", compile_)  # noqa: B010
    setattr(torch.nn.Module, "compile", _compile_module)  # noqa: B010


def compile_(model: Any = None, **options: Any) -> Any:
    """torch.compile, which runs everything as it is written.

    Dynamo would trace for a GPU that C++ cannot find, and end the process.
    """
    return model if model is not None else functools.partial(compile_, **options)


def _compile_module(self: torch.nn.Module, *args: Any, **options: Any) -> None:
    """Module.compile: the same, in place."""


def _fake(self: FakeTensorMode, tensor: torch.Tensor, **kwargs: Any) -> Any:
    """A tensor without data, to trace with: autograd in C++ would abort on one of a GPU."""
    if type(tensor) is VirtualTensor:
        raise note(
            NotImplementedError(
                "virtual GPUs do not have fake tensors, on which torch.export stands: export the "
                "model on the CPU, then move it"
            )
        )
    return _from_tensor(self, tensor, **kwargs)


@register("aten::_efficientzerotensor")
def _zeros(func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:  # noqa: ARG001
    """The tangent of a constant; zeros that have no memory would need kernels of their own."""
    return execute(torch.ops.aten.zeros.default, (), args, kwargs)
