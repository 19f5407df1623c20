"""Data on real GPUs: virtual ones take turns on those that are there.

torch's own CUDA kernels do the work, so virtual tensors are reached through the carrier alone.
"""

from __future__ import annotations

from typing import Any

import torch

from grader.errors import UsageError
from grader.vgpu.backends.with_data import WithData

# Kept before torch.cuda speaks for the virtual GPUs.
_device_count = torch.cuda.device_count
_init = torch.cuda.init
_synchronize: Any = torch.cuda.synchronize


class Cuda(WithData):
    needs_cuda_kernels = True

    def __init__(self) -> None:
        real = _device_count()
        if real == 0:
            raise UsageError(
                "data on a real GPU (--on cuda, VGPU_DATA=cuda)",
                expected="at least one GPU that torch can use",
                found="none",
                do="leave the option out: virtual GPUs need no real one",
            )
        _init()  # type: ignore[no-untyped-call]
        self._devices = [torch.device("cuda", i) for i in range(real)]

    def device(self, gpu: int) -> torch.device:
        return self._devices[gpu % len(self._devices)]

    def synchronize(self) -> None:
        for device in self._devices:
            _synchronize(device)
