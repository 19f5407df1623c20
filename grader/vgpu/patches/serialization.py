"""torch.save and torch.load with tensors of virtual GPUs, in CUDA's own file format.

A storage read back for "cuda:1" carries a mark; the tensors rebuilt on it are put on that GPU and
share one block of memory.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch import _utils as rebuilding

from grader.trace import HOST
from grader.vgpu import devices, recorder
from grader.vgpu.memory import Block
from grader.vgpu.tensor import wrap

_BEFORE_TORCHS_OWN = 5
_rebuild = rebuilding._rebuild_tensor


def install() -> None:
    rebuilding._rebuild_tensor = _rebuild_tensor
    torch.serialization.register_package(_BEFORE_TORCHS_OWN, _tag, _deserialize)


def _tag(storage: Any) -> str | None:
    """The location that torch.save writes down."""
    gpu = getattr(storage, "_gpu", None)
    return None if gpu is None else f"cuda:{gpu}"


def _deserialize(storage: Any, location: str) -> Any:
    if not location.startswith("cuda"):
        return None
    try:
        gpu = devices.place(location)
    except AssertionError as error:
        raise RuntimeError(
            "Attempting to deserialize object on a CUDA device but torch.cuda.is_available() is "
            "False. If you are running on a CPU-only machine, please use torch.load with "
            "map_location=torch.device('cpu') to map your storages to the CPU."
        ) from error
    if gpu is not None:
        storage._gpu = gpu
        storage._block = Block(gpu, storage.nbytes())
        recorder.transfer(HOST, gpu, storage.nbytes())
    return storage


def _rebuild_tensor(storage: Any, offset: int, size: Any, stride: Any) -> Tensor:
    inner: Tensor = _rebuild(storage, offset, size, stride)  # type: ignore[no-untyped-call]
    bare = getattr(storage, "_untyped_storage", storage)
    gpu = getattr(bare, "_gpu", None)
    return inner if gpu is None else wrap(inner, gpu, bare._block)
