"""Where the numbers of virtual GPUs live: one small back end behind one interface.

The tensor class and `dispatch` know inner tensors only as what a back end made and takes back, so
they never assume where the data are. A back end whose data another process holds would put its
handles in the place of inner tensors and send ops to it from `kernel`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import Tensor


class Backend(Protocol):
    """What `dispatch` needs to know of the place where inner tensors are."""

    #: torch's CUDA kernels are needed for the data, so nothing may stand in their place.
    needs_cuda_kernels: bool
    #: Nothing has data, not even tensors of the host.
    dry: bool

    def device(self, gpu: int) -> torch.device:
        """Where an op that takes a device makes the data of this virtual GPU."""

    def kernel(self, op: Any) -> Callable[..., Any]:
        """What runs this op on inner tensors, with the op's own arguments."""

    def adopt(self, tensor: Tensor) -> Tensor:
        """A plain tensor of the host, as an op on inner tensors takes it."""

    def number(self, inner: Tensor) -> Any:
        """The Python number in a tensor of one element."""

    def synchronize(self) -> None:
        """Come back when all ops are done, not only asked for."""


def choose(data: str) -> Backend:
    """The back end for `settings.data`: "cpu", "cuda" or "meta"."""
    from grader.vgpu.backends import cpu, cuda, meta

    kinds: dict[str, Callable[[], Backend]] = {"cpu": cpu.Cpu, "cuda": cuda.Cuda, "meta": meta.Meta}
    return kinds[data]()
