"""Data in this machine's memory, ops on its CPU: numbers equal the CPU's, bit for bit."""

from __future__ import annotations

import torch

from grader.vgpu.backends.with_data import WithData

_CPU = torch.device("cpu")


class Cpu(WithData):
    needs_cuda_kernels = False

    def device(self, gpu: int) -> torch.device:  # noqa: ARG002 - all GPUs are in one memory
        return _CPU

    def synchronize(self) -> None:
        """Ops are done when they return."""
