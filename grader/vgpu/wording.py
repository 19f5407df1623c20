"""Errors that torch writes for the CPU, or for the carrier, in CUDA's words."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import torch

from grader.vgpu import memory
from grader.vgpu.devices import CARRIER
from grader.vgpu.explain import note

_TYPE = re.compile(rf"\b{CARRIER.capitalize()}(\w+?)Type\b")
_DEVICE = re.compile(rf"(?<!, )\b{CARRIER}\b(?=[:'])")

#: Ops whose indices only the kernel sees: it cannot raise, it asserts.
_READ_INDICES = frozenset(
    f"aten::{name}"
    for name in (
        *("embedding", "_embedding_bag", "_embedding_bag_forward_only", "nll_loss_forward"),
        *("nll_loss2d_forward", "index", "_unsafe_index", "index_put", "index_put_", "put_"),
        *("_index_put_impl_", "index_select", "index_add", "index_add_", "index_copy"),
        *("index_copy_", "index_fill", "index_fill_", "gather", "scatter", "scatter_"),
        *("scatter_add", "scatter_add_", "scatter_reduce", "scatter_reduce_", "take"),
    )
)
_OUT_OF_RANGE = re.compile(r"out of (?:range|bounds)")
_ASSERTION = (
    "CUDA error: device-side assert triggered\n"
    "Search for `cudaErrorAssert' in https://docs.nvidia.com/cuda/cuda-runtime-api/"
    "group__CUDART__TYPES.html for more information.\n"
    "CUDA kernel errors might be asynchronously reported at some other API call, so the "
    "stacktrace below might be incorrect.\n"
    "For debugging consider passing CUDA_LAUNCH_BLOCKING=1\n"
    "Compile with `TORCH_USE_CUDA_DSA` to enable device-side assertions.\n"
)


def told(func: Any, error: Exception, gpu: Callable[[], int]) -> Exception:
    """What CUDA says where an op of the CPU failed with `error`; often the error itself.

    An index out of range is CUDA's device-side assert. On a real GPU it comes later, by way of
    any other call, and every later call fails with it; here it is raised where it happens, as
    with CUDA_LAUNCH_BLOCKING=1, and the process goes on. `gpu` is asked where the op runs.
    """
    if func._schema.name in _READ_INDICES and _OUT_OF_RANGE.search(str(error)):
        return note(torch.AcceleratorError(_ASSERTION), detail=str(error))
    if isinstance(error, RuntimeError):
        error = memory.instead_of(error, gpu)
    return note(error)


def cuda_words(error: BaseException) -> None:
    """Rewrite the message of an exception in place, and explain it."""
    if error.args and isinstance(error.args[0], str) and CARRIER in error.args[0].lower():
        text = _TYPE.sub(r"torch.cuda.\1Tensor", error.args[0])
        error.args = (_DEVICE.sub("cuda", text), *error.args[1:])
    note(error)
