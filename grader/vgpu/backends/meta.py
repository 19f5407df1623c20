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
        return _by_shape(op)

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
