"""Ops that carry data from one device to another, or say where data is: what moves is recorded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from grader.trace import HOST
from grader.vgpu import devices, recorder
from grader.vgpu.arguments import Found, unpack
from grader.vgpu.dispatch import register, watcher
from grader.vgpu.tensor import VirtualTensor, reshape_outer, wrap


def _gpu_of(tensor: Tensor) -> int:
    return tensor._gpu if type(tensor) is VirtualTensor else HOST


def _inner_of(tensor: Tensor) -> Tensor:
    return tensor._inner if type(tensor) is VirtualTensor else tensor


def _moved(func: Any, inner: Tensor, source: int, target: int, *, non_blocking: bool) -> None:
    """`inner` was copied: a transfer between devices, an op within one."""
    if source != target:
        size = inner.numel() * inner.element_size()
        recorder.transfer(source, target, size, non_blocking=non_blocking)
        return
    recorder.op(func._schema.name, target)
    watch = watcher()
    if watch is not None and target != HOST:
        watch(func, target, (inner,), {}, inner)


#: Options of a copy that say nothing of the numbers.
_ELSEWHERE = frozenset(("device", "pin_memory", "non_blocking", "layout"))
_AS_IT_IS: Any = ({}, {"memory_format": torch.preserve_format})


@register("aten::_to_copy")
def _to_copy(func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    tensor = args[0]
    device = kwargs.get("device")
    source = _gpu_of(tensor)
    target: int | None = source if device is None else devices.place(device)
    inner = _inner_of(tensor)
    options = {k: v for k, v in kwargs.items() if v is not None and k not in _ELSEWHERE}
    if options.get("dtype") == inner.dtype:
        del options["dtype"]
    place = inner.device
    if device is not None:
        place = device if target is None else devices.backend().device(target)
    if options in _AS_IT_IS and place == inner.device:
        result = inner.clone()
    else:
        result = func(inner, device=place, **options)
    non_blocking = bool(kwargs.get("non_blocking"))
    _moved(func, inner, source, HOST if target is None else target, non_blocking=non_blocking)
    return result if target is None else wrap(result, target)


@register("aten::copy_")
def _copy(func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    target, source = args[0], args[1]
    inner = _inner_of(source)
    _inner_of(target).copy_(inner)
    non_blocking = bool(args[2] if len(args) > 2 else kwargs.get("non_blocking"))
    _moved(func, inner, _gpu_of(source), _gpu_of(target), non_blocking=non_blocking)
    return target


@register("aten::_local_scalar_dense")
def _number(func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:  # noqa: ARG001
    tensor = args[0]
    if tensor._gpu != HOST:
        recorder.transfer(tensor._gpu, HOST, tensor._inner.element_size())
    return devices.backend().number(tensor._inner)


@register("aten::is_same_size")
def _same_size(func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:  # noqa: ARG001
    return func(*unpack(args, Found()))


@register("aten::is_pinned")
def _is_pinned(func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> bool:  # noqa: ARG001
    return False


@register("aten::_pin_memory")
def _pin_memory(func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:  # noqa: ARG001
    kind = args[0].type()
    raise RuntimeError(f"cannot pin '{kind}' only dense CPU tensors can be pinned")


@register("aten::set_")
def _set(func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    tensor = args[0]
    if len(args) > 1 and type(args[1]) is VirtualTensor:
        source = args[1]
        inner = source._inner
        tensor._gpu, tensor._block = source._gpu, source._block
        if len(args) > 2:
            offset, size, stride = args[2:5]
            inner = inner.as_strided(size, stride, offset)
        tensor._inner = inner
    else:
        func(tensor._inner, *args[1:], **kwargs)
    reshape_outer(tensor)
    return tensor
