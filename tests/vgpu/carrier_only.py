"""A pytest plugin: virtual GPUs as on a machine whose data live on a real one.

There, torch's CUDA kernels stay torch's own, and virtual tensors may be reached through the carrier
alone. Here the data are the CPU's all the same, so that it can be tried without a GPU.
"""

from __future__ import annotations

from grader.vgpu import backends
from grader.vgpu.backends.cpu import Cpu


class CarrierOnly(Cpu):
    needs_cuda_kernels = True


backends.choose = lambda data: CarrierOnly()
