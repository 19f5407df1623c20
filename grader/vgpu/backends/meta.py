"""No data at all: shapes, placement, transfers and memory of models that would fit nowhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from grader.vgpu.bindings import quick

_META = torch.device("meta")


class Meta:
    needs_cuda_kernels = False
    dry = True

    def device(self, gpu: int) -> torch.device:  # noqa: ARG002
        return _META

    def kernel(self, op: Any) -> Callable[..., Any]:
        return _QUICK.get(op) or _by_shape(op)

    def adopt(self, tensor: Tensor) -> Tensor:
        return tensor.to(_META)

    def number(self, inner: Tensor) -> Any:
        """Not a number, where there is such a value; what a loss prints as in dry mode."""
        if inner.is_floating_point():
            return float("nan")
        if inner.is_complex():
            return complex("nan")
        raise no_data(f"the value of a tensor of {inner.dtype}")

    def synchronize(self) -> None:
        """There is nothing to do."""


def no_data(wanted: str) -> RuntimeError:
    """What a script is told that asks for numbers in dry mode."""
    return RuntimeError(
        f"dry mode has no data, and so not {wanted}; run without --dry what depends on values"
    )


def _by_shape(op: Any) -> Callable[..., Any]:
    kernel = quick(op)

    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return kernel(*args, **kwargs)
        except NotImplementedError as error:  # its result depends on the values
            raise no_data(f"the result of {op._schema.name}") from error

    return run


# ---------------------------------------------------------------------- ops of nearly every layer


def _relu(x: Tensor) -> Tensor:
    return torch.empty_like(x)


def _mm(a: Tensor, b: Tensor) -> Tensor:
    if a.dim() == b.dim() == 2 and a.shape[1] == b.shape[0] and a.dtype == b.dtype:
        return a.new_empty((a.shape[0], b.shape[1]))
    return torch.mm(a, b)  # which says what does not fit


def _addmm(bias: Tensor, a: Tensor, b: Tensor, **factors: Any) -> Tensor:
    fits = a.dim() == b.dim() == 2 and a.shape[1] == b.shape[0]
    if fits and bias.shape == b.shape[1:] and bias.dtype == a.dtype == b.dtype:
        return a.new_empty((a.shape[0], b.shape[1]))
    return torch.addmm(bias, a, b, **factors)


#: torch finds the shapes of these in Python, a quarter of a millisecond each.
_QUICK: dict[Any, Callable[..., Any]] = {
    torch.ops.aten.relu.default: _relu,
    torch.ops.aten.mm.default: _mm,
    torch.ops.aten.addmm.default: _addmm,
}
