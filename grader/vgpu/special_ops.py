"""Ops of which torch knows more on the CPU and on CUDA than on the carrier."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, NoReturn

import torch
from torch import Tensor

from grader.vgpu import devices
from grader.vgpu.dispatch import by_schema, execute, reading, register
from grader.vgpu.explain import note
from grader.vgpu.patches.build import Library
from grader.vgpu.tensor import VirtualTensor, mark

#: Kernels on the CPU and on CUDA, formulas elsewhere: their numbers differ in the last bits.
_WITH_KERNELS = ("silu_backward", "mish_backward", "native_channel_shuffle")
#: Kernels that are made of other ops, which conjugate and negate lazily.
_LINEAR_ALGEBRA = {
    name.partition(".")[0]
    for name in torch._C._dispatch_get_all_op_names()
    if name.startswith(("aten::linalg_", "aten::_linalg_"))
}
_CONJUGATE, _NEGATIVE = torch._C.DispatchKey.Conjugate, torch._C.DispatchKey.Negative
_excluding: Any = torch._C._SetExcludeDispatchKeyGuard
_by_schema = cache(by_schema)
_whole = cache(reading)

#: Registrations last as long as their library.
_libraries: list[Any] = []


def install() -> None:
    if _libraries:  # before this process was forked
        return
    library = Library("aten", "IMPL")
    carrier = devices.CARRIER.capitalize()
    for name in _WITH_KERNELS:
        library.impl(name, _kernel(getattr(torch.ops.aten, name).default), carrier)
    for key in (carrier, f"Autograd{carrier}"):
        library.impl("tensor_split.tensor_indices_or_sections", _tensor_split, key)
    _libraries.append(library)


def _kernel(op: Any) -> Any:
    def run(*args: Any) -> Any:
        return execute(op, (), args)

    return run


@register(*(f"aten::{name}" for name in _WITH_KERNELS))
def _one_kernel(func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """An op that is not to be taken apart, though torch could."""
    return _whole(func)(func, args, kwargs)


@register(*_LINEAR_ALGEBRA)
def _with_marks(func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Below `__torch_dispatch__` torch heeds no marks of conjugation unless it is told to."""
    with _excluding(_CONJUGATE, False), _excluding(_NEGATIVE, False):
        result = _by_schema(func)(func, args, kwargs)
    for item in result if isinstance(result, tuple) else (result,):
        if type(item) is VirtualTensor:
            mark(item)
    return result


def _tensor_split(data: Tensor, where: Tensor, dim: int = 0) -> Any:
    """Torch complains of indices on a GPU itself, but would name the carrier."""
    op = torch.ops.aten.tensor_split.tensor_indices_or_sections
    if where.is_cuda:
        _refuse_indices(where)
    return op.decompose(data, where, dim)


def _refuse_indices(where: Tensor) -> NoReturn:
    raise note(
        RuntimeError(
            "tensor_split expected tensor_indices_or_sections to be on cpu, "
            f"but it's on {where.device}"
        )
    )
