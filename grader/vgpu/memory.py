"""Memory per virtual GPU: one block per storage, 512 bytes at a time, as CUDA's allocator counts.

A block lives exactly as long as the tensors that share its storage hold it.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable

import torch

from grader.trace import HOST
from grader.vgpu.count import MOST

GIB = 1 << 30
MIB = 1 << 20
CAPACITY = 80 * GIB
_GRAIN = 512
_SEGMENT = 2 * MIB

#: Where the message of this version sends its reader.
_DOCUMENTATION = (
    "https://pytorch.org/docs/stable/notes/cuda.html#environment-variables"
    if torch.__version__.startswith("2.9.")
    else "https://docs.pytorch.org/docs/stable/notes/cuda.html"
    "#optimizing-memory-usage-with-pytorch-cuda-alloc-conf"
)
_ASKED = re.compile(r"DefaultCPUAllocator.* you tried to allocate (\d+) bytes")
_lock = threading.RLock()
# A child of a process with threads must not inherit it locked.
os.register_at_fork(
    before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release
)
# By GPU; the last entry is the host's, which is counted in dry mode and never full.
_held = [0] * (MOST + 1)
_peak = [0] * (MOST + 1)
_reserved = [0] * (MOST + 1)
_peak_reserved = [0] * (MOST + 1)
_mark = [0] * (MOST + 1)  # nothing but sums needs doing below it
_made = [0] * (MOST + 1)  # blocks, ever
_gone = [0] * (MOST + 1)
_since = [(0, 0)] * (MOST + 1)  # both, when counting last began
_refusals = [0] * (MOST + 1)
_fraction = [1.0] * (MOST + 1)  # of the capacity, that this process may hold


def configure(capacity: int) -> None:
    """Bytes of every GPU; before any use."""
    global CAPACITY  # noqa: PLW0603 - a process has one machine
    CAPACITY = capacity


class Block:
    """Memory of one GPU, given back when the last tensor that uses it goes."""

    __slots__ = ("gpu", "size")

    def __init__(self, gpu: int, size: int) -> None:
        self.gpu = gpu
        self.size = 0  # what __del__ gives back should the GPU be full
        size = (size + _GRAIN - 1) & -_GRAIN
        with _lock:
            held = _held[gpu] + size
            if held > _mark[gpu]:
                _grow(gpu, held, size)
            _held[gpu] = held
            if size:
                _made[gpu] += 1
        self.size = size

    def __del__(self) -> None:
        if self.size:
            with _lock:
                _held[self.gpu] -= self.size
                _gone[self.gpu] += 1


def _grow(gpu: int, held: int, asked: int) -> None:
    """The GPU is about to hold more than its mark; it reserves segments of 2 MiB."""
    if held > allowed(gpu) and gpu != HOST:
        raise out_of_memory(gpu, asked)
    _peak[gpu] = max(_peak[gpu], held)
    if held > _reserved[gpu]:
        _reserved[gpu] = -(-held // _SEGMENT) * _SEGMENT
        _peak_reserved[gpu] = max(_peak_reserved[gpu], _reserved[gpu])
    _mark[gpu] = min(_peak[gpu], _reserved[gpu])


def out_of_memory(gpu: int, size: int) -> torch.OutOfMemoryError:
    """CUDA's words for `size` bytes that do not fit."""
    held = _held[gpu]
    _refusals[gpu] += 1
    limit_ = "" if _fraction[gpu] == 1 else f"{amount(allowed(gpu))} allowed; "
    reserved_ = _reserved[gpu] = min(
        -(-held // _SEGMENT) * _SEGMENT, CAPACITY
    )  # gave back the rest
    return torch.OutOfMemoryError(
        f"CUDA out of memory. Tried to allocate {amount(size)}. GPU {gpu} has a total capacity "
        f"of {amount(CAPACITY)} of which {amount(max(CAPACITY - reserved_, 0))} is free. "
        f"Including non-PyTorch memory, this process has {amount(reserved_)} memory in use. "
        f"{limit_}Of the allocated memory {amount(held)} is allocated by PyTorch, and "
        f"{amount(reserved_ - held)} is reserved by PyTorch but unallocated. "
        "If reserved but unallocated memory is large try setting "
        "PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True to avoid fragmentation.  "
        f"See documentation for Memory Management  ({_DOCUMENTATION})"
    )


def instead_of(error: RuntimeError, gpu: Callable[[], int]) -> RuntimeError:
    """What the GPU says where this machine's own memory ended first; else the error itself.

    `gpu` answers which GPU the memory was for.
    """
    asked = _ASKED.search(str(error))
    if asked and int(asked[1]) > free(where := gpu()):
        return out_of_memory(where, int(asked[1]))
    return error


def free(gpu: int) -> int:
    return allowed(gpu) - _held[gpu]


def allowed(gpu: int) -> int:
    """Bytes that this process may hold."""
    return int(CAPACITY * _fraction[gpu])


def fraction(gpu: int) -> float:
    return _fraction[gpu]


def limit(gpu: int, fraction: float) -> None:
    """Let this process hold no more than a fraction of the GPU, from the next block on."""
    with _lock:
        _fraction[gpu] = fraction
        _mark[gpu] = 0  # so that the next one is checked


def allocated(gpu: int) -> int:
    return _held[gpu]


def peak(gpu: int) -> int:
    return _peak[gpu]


def reserved(gpu: int) -> int:
    return max(_reserved[gpu], _held[gpu])


def peak_reserved(gpu: int) -> int:
    return _peak_reserved[gpu]


def blocks(gpu: int) -> int:
    """How many blocks are held."""
    return _made[gpu] - _gone[gpu]


def counts(gpu: int) -> tuple[int, int]:
    """Blocks made and given back since counting began."""
    made, gone = _since[gpu]
    return _made[gpu] - made, _gone[gpu] - gone


def refusals(gpu: int) -> int:
    """How often the GPU was full since counting began."""
    return _refusals[gpu]


def reset_counts(gpu: int) -> None:
    with _lock:
        _since[gpu] = _made[gpu], _gone[gpu]
        _refusals[gpu] = 0


def empty_cache() -> None:
    """Give back what is reserved and unused, on every GPU."""
    with _lock:
        for gpu in range(MOST):
            _reserved[gpu] = -(-_held[gpu] // _SEGMENT) * _SEGMENT
            _mark[gpu] = _held[gpu]


def reset_peak(gpu: int) -> None:
    """Peaks start again from what is held now."""
    with _lock:
        _mark[gpu] = _peak[gpu] = _held[gpu]
        _peak_reserved[gpu] = _reserved[gpu]


def amount(size: int) -> str:
    """A size as CUDA's messages print it: "4.00 MiB", "79.50 GiB"."""
    if size >= GIB:
        return f"{size / GIB:.2f} GiB"
    if size >= MIB:
        return f"{size / MIB:.2f} MiB"
    if size >= 1024:
        return f"{size / 1024:.2f} KiB"
    return f"{size} bytes"
