"""Data in this machine's memory, ops on its CPU: numbers equal the CPU's, bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from grader.vgpu.bindings import quick

_CPU = torch.device("cpu")


class Cpu:
    needs_cuda_kernels = False
    dry = False

    def device(self, gpu: int) -> torch.device:  # noqa: ARG002 - all GPUs are in one memory
        return _CPU

    def kernel(self, op: Any) -> Callable[..., Any]:
        return quick(op)

    def adopt(self, tensor: Tensor) -> Tensor:
        return tensor

    def number(self, inner: Tensor) -> Any:
        return inner.item()

    def synchronize(self) -> None:
        """Ops are done when they return."""

    def seed(self, seed: int) -> None:
        """The CPU's own generator serves; whoever seeds it has seeded this."""
