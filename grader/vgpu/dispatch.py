"""How one op runs on virtual tensors: on the numbers inside, with CUDA's rules outside.

Every op is studied once, from its schema; `register` is for the few that a schema does not
explain. Nothing here says where the inner tensors live.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from grader.trace import HOST
from grader.vgpu import devices, memory, mixing, recorder
from grader.vgpu.memory import Block
from grader.vgpu.tensor import VirtualTensor, reshape_outer, wrap

Handler = Callable[[Any, Sequence[Any], dict[str, Any]], Any]
#: Told of each op that ran on a GPU: the op, the GPU, inner arguments, inner result.
Watcher = Callable[[Any, int, Sequence[Any], dict[str, Any], Any], None]

#: Where the numbers live.
HOME = devices.Device("cpu")

_handlers: dict[Any, Handler] = {}
_registered: dict[str, Handler] = {}
_watcher: Watcher | None = None

#: Ops whose result shares the storage of their input though their schema does not say so.
_SHARING = frozenset(
    f"aten::{name}"
    for name in (
        *("detach", "lift", "lift_fresh", "alias", "_reshape_alias", "_unsafe_view"),
        *("unsafe_split", "unsafe_split_with_sizes", "unsafe_chunk"),
    )
)


def watch(watcher: Watcher) -> None:
    """Tell `watcher` of every op from now on; before the first op runs."""
    global _watcher  # noqa: PLW0603 - one per process
    _watcher = watcher


class Unpacked:
    """What was found among the arguments of one call."""

    __slots__ = ("block", "gpu", "host", "mixed")

    def __init__(self) -> None:
        self.gpu = -1  # of the first virtual tensor
        self.block: Block | None = None  # its memory
        self.mixed = False  # a second one is on another GPU
        self.host = False  # there is a tensor of the CPU that is no single number


def execute(func: Any, args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None) -> Any:
    """Run one op; at least one argument is a virtual tensor or a virtual device."""
    handler = _handlers.get(func) or _study(func)
    try:
        return handler(func, args, kwargs or {})
    except RuntimeError as error:
        told = memory.instead_of(error, _where(args, kwargs or {}))
        if told is error:
            raise
        raise told from None


def _where(args: Sequence[Any], kwargs: dict[str, Any]) -> int:
    """The GPU on which this call makes its result."""
    device = kwargs.get("device")
    gpu = None if device is None else devices.place(device)
    if gpu is None:
        found = Unpacked()
        unpack(args, found)
        gpu = max(found.gpu, 0)
    return gpu


def register(*names: str) -> Callable[[Handler], Handler]:
    """Run all overloads of the ops of these names ("aten::copy_") with the decorated function."""

    def keep(handler: Handler) -> Handler:
        for name in names:
            _registered[name] = handler
        return handler

    return keep


def unpack(values: Sequence[Any], found: Unpacked) -> list[Any]:
    """The same arguments with the inner tensors; what they are is noted in `found`."""
    out: list[Any] = []
    for value in values:
        if type(value) is VirtualTensor:
            if found.gpu < 0:
                found.gpu = value._gpu
                found.block = value._block
            elif found.gpu != value._gpu:
                found.mixed = True
            out.append(value._inner)
        elif isinstance(value, Tensor):
            if value.dim():
                found.host = True
            out.append(value)
        elif isinstance(value, (list, tuple)):
            out.append(unpack(value, found))
        else:
            out.append(value)
    return out


def _unpack_kwargs(kwargs: dict[str, Any], found: Unpacked) -> dict[str, Any]:
    if not kwargs:
        return kwargs
    return dict(zip(kwargs, unpack(list(kwargs.values()), found), strict=True))


def repack(result: Any, gpu: int, block: Block | None) -> Any:
    """Put the tensors of a result on a GPU; numbers and None stay as they are."""
    if type(result) is Tensor:
        return wrap(result, gpu, block)
    if isinstance(result, (list, tuple)):
        return type(result)([repack(x, gpu, block) for x in result])
    return result


# ---------------------------------------------------------------------- studying an op


def _study(func: Any) -> Handler:
    schema = func._schema
    name = schema.name
    names = [argument.name for argument in schema.arguments]
    if name in _registered:
        handler = _registered[name]
    elif name.startswith("aten::") and func._can_decompose():
        handler = _composite  # inference mode hands these over whole
    elif any(_written(argument) for argument in schema.arguments):
        handler = _writing(func)
    elif "device" in names:
        handler = _creating(func)
    else:
        handler = _pure(func)
    _handlers[func] = handler
    return handler


def _written(argument: Any) -> bool:
    return argument.alias_info is not None and bool(argument.alias_info.is_write)


def _composite(func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    return func.decompose(*args, **kwargs)


def _pure(func: Any) -> Handler:
    """An op that only reads: its results are new tensors, or views of the first argument."""
    name = func._schema.name
    lone = mixing.takes_host_tensors(name)
    listed = name.startswith("aten::_foreach")
    shares = name in _SHARING or any(r.alias_info is not None for r in func._schema.returns)
    record = recorder.op
    watcher = _watcher

    def run(func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        found = Unpacked()
        inner = unpack(args, found)
        inner_kwargs = _unpack_kwargs(kwargs, found)
        if (found.mixed or (found.host and not lone)) and not listed:
            raise mixing.error(func, args, kwargs)
        record(name, found.gpu)
        result = func(*inner, **inner_kwargs)
        if watcher is not None:
            watcher(func, found.gpu, inner, inner_kwargs, result)
        if listed:
            return _repack_each(result, args[0])
        return repack(result, found.gpu, found.block if shares else None)

    return run


def _repack_each(result: Any, like: Sequence[Any]) -> Any:
    """Results of a _foreach op: one per tensor of its first list, each on that one's GPU."""
    if not isinstance(result, (list, tuple)):
        return result
    return [
        wrap(x, y._gpu) if type(y) is VirtualTensor else x
        for x, y in zip(result, like, strict=True)
    ]


def _creating(func: Any) -> Handler:
    """An op with a device argument: `device` says where the result goes, if it says anything."""
    pure = _pure(func)
    name = func._schema.name
    watcher = _watcher

    def run(func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        device = kwargs.get("device")
        if device is None:
            return pure(func, args, kwargs)
        found = Unpacked()
        inner = unpack(args, found)
        inner_kwargs = _unpack_kwargs(kwargs, found)
        gpu = devices.place(device)
        inner_kwargs["device"] = device if gpu is None else HOME
        inner_kwargs.pop("pin_memory", None)
        recorder.op(name, HOST if gpu is None else gpu)
        result = func(*inner, **inner_kwargs)
        if gpu is None:
            return result
        if watcher is not None:
            watcher(func, gpu, inner, inner_kwargs, result)
        return wrap(result, gpu)

    return run


def _writing(func: Any) -> Handler:
    """An op that writes into an argument, and returns that argument where its schema says so."""
    schema = func._schema
    name = schema.name
    lone = mixing.takes_host_tensors(name)
    lists = name.startswith(("aten::_foreach", "aten::_fused", "aten::_amp"))
    returned = [_source(schema, value) for value in schema.returns]
    outputs = [a.name for a in schema.arguments if _written(a) and a.kwarg_only]
    reshapes = torch.Tag.inplace_view in func.tags
    record = recorder.op
    watcher = _watcher

    def run(func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        found = Unpacked()
        inner = unpack(args, found)
        inner_kwargs = _unpack_kwargs(kwargs, found)
        if (found.mixed or (found.host and not lone)) and not lists:
            raise mixing.error(func, args, kwargs)
        record(name, found.gpu)
        result = func(*inner, **inner_kwargs)
        if watcher is not None:
            watcher(func, found.gpu, inner, inner_kwargs, result)
        if reshapes:
            reshape_outer(args[0])
        for output in outputs:
            _resync(kwargs.get(output))
        if not returned:
            return None
        results = result if len(returned) > 1 else (result,)
        out = [
            repack(value, found.gpu, None)
            if source is None
            else args[source[0]]
            if source[0] < len(args)
            else kwargs[source[1]]
            for source, value in zip(returned, results, strict=True)
        ]
        return out[0] if len(out) == 1 else tuple(out)

    return run


def _source(schema: Any, value: Any) -> tuple[int, str] | None:
    """The argument (position, name) that a returned value is; None for a new tensor."""
    if not _written(value):
        return None
    for position, argument in enumerate(schema.arguments):
        alias = argument.alias_info
        if alias is not None and alias.before_set == value.alias_info.before_set:
            return position, argument.name
    return None


def _resync(output: Any) -> None:
    """An out= tensor may have been resized (arange is empty(0) and then arange.out)."""
    if type(output) is VirtualTensor:
        inner = output._inner
        if inner.shape != output.shape or inner.stride() != output.stride():
            reshape_outer(output)


# ---------------------------------------------------------------------- copies between devices


def _gpu_of(tensor: Tensor) -> int | None:
    return tensor._gpu if type(tensor) is VirtualTensor else None


def _inner_of(tensor: Tensor) -> Tensor:
    return tensor._inner if type(tensor) is VirtualTensor else tensor


def _moved(
    func: Any, inner: Tensor, source: int | None, target: int | None, *, non_blocking: bool
) -> None:
    """`inner` was copied: a transfer between devices, an op within one."""
    if source != target:
        size = inner.numel() * inner.element_size()
        recorder.transfer(source, target, size, non_blocking=non_blocking)
        return
    recorder.op(func._schema.name, HOST if target is None else target)
    if _watcher is not None and target is not None:
        _watcher(func, target, (inner,), {}, inner)


@register("aten::_to_copy")
def _to_copy(func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    tensor = args[0]
    device = kwargs.get("device")
    source = _gpu_of(tensor)
    target = source if device is None else devices.place(device)
    inner = _inner_of(tensor)
    options = {k: v for k, v in kwargs.items() if k not in ("device", "pin_memory", "non_blocking")}
    if device is not None:
        options["device"] = device if target is None else HOME
    result = func(inner, **options)
    _moved(func, inner, source, target, non_blocking=bool(kwargs.get("non_blocking")))
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
    recorder.transfer(tensor._gpu, None, tensor._inner.element_size())
    return func(tensor._inner)


@register("aten::is_same_size")
def _same_size(func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:  # noqa: ARG001
    return func(*unpack(args, Unpacked()))


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


VirtualTensor.execute = staticmethod(execute)
