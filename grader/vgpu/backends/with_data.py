"""What all back ends share whose tensors have data: torch's own kernels serve them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from grader.vgpu.bindings import quick


class WithData:
    dry = False

    def kernel(self, op: Any) -> Callable[..., Any]:
        return quick(op)

    def adopt(self, tensor: Tensor) -> Tensor:
        """The host's single numbers and indices are taken by torch's kernels as they are."""
        return tensor

    def number(self, inner: Tensor) -> Any:
        return inner.item()
