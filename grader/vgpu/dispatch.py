"""How one op runs on virtual tensors: on the numbers inside, with CUDA's rules outside.

Every op is studied once, from its schema, and gets a handler; `register` is for the few that a
schema does not explain. Most ops then take a short way, which hands everything unusual (devices
that differ, tensors of the host) to the long one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from grader.trace import HOST
from grader.vgpu import devices, mixing, recorder, wording
from grader.vgpu.arguments import Found, repack, repack_each, unpack, unpack_keywords
from grader.vgpu.tensor import VirtualTensor, as_marked, reshape_outer, wrap

Handler = Callable[[Any, Sequence[Any], dict[str, Any]], Any]
#: Told of each op that ran on a GPU: the op, the GPU, inner arguments, inner result.
Watcher = Callable[[Any, int, Sequence[Any], dict[str, Any], Any], None]

_handlers: dict[int, Handler] = {}  # by id: an op's own hash is Python code
_registered: dict[str, Handler] = {}
_watcher: Watcher | None = None
#: Stands around the handlers of ops that draw random numbers.
_around_random: Callable[[Any, Handler], Handler] | None = None

#: Ops whose result shares the storage of their input though their schema does not say so.
_SHARING = frozenset(
    f"aten::{name}"
    for name in (
        *("detach", "lift", "lift_fresh", "alias", "_reshape_alias", "_unsafe_view"),
        *("unsafe_split", "unsafe_split_with_sizes", "unsafe_chunk"),
    )
)


def execute(
    func: Any,
    types: Any = (),  # noqa: ARG001 - what torch passes to a class
    args: Sequence[Any] = (),
    kwargs: dict[str, Any] | None = None,
) -> Any:
    """Run one op; at least one argument is a virtual tensor or a virtual device."""
    try:
        return (_handlers.get(id(func)) or _study(func))(func, args, kwargs or {})
    except (RuntimeError, IndexError) as error:
        told = wording.told(func, error, lambda: _where(args, kwargs or {}))
        try:
            if told is error:
                raise
            raise told from None
        finally:
            del told  # an error that its own frames hold keeps their tensors until gc runs


def _where(args: Sequence[Any], kwargs: dict[str, Any]) -> int:
    """The GPU on which this call makes its result."""
    device = kwargs.get("device")
    gpu = None if device is None else devices.place(device)
    if gpu is None:
        found = Found()
        unpack(args, found)
        gpu = max(found.gpu, 0)
    return gpu


def register(*names: str) -> Callable[[Handler], Handler]:
    """Run all overloads of the ops of these names with the decorated function.

    "aten::copy_" is one op, "c10d::*" all of a library.
    """

    def keep(handler: Handler) -> Handler:
        for name in names:
            _registered[name] = handler
        return handler

    return keep


def watch(watcher: Watcher) -> None:
    """Tell `watcher` of every op from now on; before the first op runs."""
    global _watcher  # noqa: PLW0603 - one per process
    _watcher = watcher


def watcher() -> Watcher | None:
    return _watcher


def around_random(decorate: Callable[[Any, Handler], Handler]) -> None:
    """Let `decorate` change the handlers of ops that draw random numbers; before the first runs."""
    global _around_random  # noqa: PLW0603 - one per process
    _around_random = decorate


# ---------------------------------------------------------------------- studying an op


def _study(func: Any) -> Handler:
    name = func._schema.name
    space = name.partition("::")[0]
    handler = _registered.get(name) or _registered.get(f"{space}::*")
    if handler is None:
        handler = (None if space == "aten" else _own_kernel(func)) or by_schema(func)
    if _around_random and handler is not _composite and _draws(func):
        handler = _around_random(func, handler)
    _handlers[id(func)] = handler
    return handler


def _draws(func: Any) -> bool:
    """Whether it draws random numbers; not every op that does has torch's tag."""
    return torch.Tag.nondeterministic_seeded in func.tags or any(
        argument.name == "generator" for argument in func._schema.arguments
    )


def _own_kernel(func: Any) -> Handler | None:
    """The script's own op (torch.library): its Python kernel runs on virtual tensors."""
    space, _, name = str(func.name()).partition("::")
    for key in (torch._C.DispatchKey.CUDA, torch._C.DispatchKey.CompositeExplicitAutograd):
        if f"{space}/{name}/{key.name}" in torch.library._impls:
            return partial(_run_own, key)
    return None


def _run_own(key: Any, func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    return func._op_dk(key, *args, **kwargs)


def by_schema(func: Any) -> Handler:
    """The handler of an op as its schema explains it."""
    schema = func._schema
    if schema.name.startswith("aten::") and func._can_decompose():
        return _composite  # inference mode hands these over whole
    if any(_written(argument) for argument in schema.arguments):
        return _writing(func)
    if any(argument.name == "device" for argument in schema.arguments):
        return _creating(func)
    return reading(func)


def _written(argument: Any) -> bool:
    return argument.alias_info is not None and bool(argument.alias_info.is_write)


def _composite(func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    return func.decompose(*args, **kwargs)


# ---------------------------------------------------------------------- ops that only read


def reading(func: Any) -> Handler:
    """An op that only reads: its results are new tensors, or views of the first argument."""
    schema = func._schema
    shares = schema.name in _SHARING or any(r.alias_info is not None for r in schema.returns)
    general = _reading_anything(func, shares=shares)
    kinds = [str(argument.type) for argument in schema.arguments]
    plain = [i for i, kind in enumerate(kinds) if kind in ("Tensor", "Optional[Tensor]")]
    if (
        [str(value.type) for value in schema.returns] != ["Tensor"]
        or any("List[Tensor]" in kind or "List[Optional[Tensor]]" in kind for kind in kinds)
        or any(schema.arguments[i].kwarg_only for i in plain)
        or _watcher is not None
    ):
        return general
    if shares:
        return _viewing(func, general) if plain == [0] else general
    return _computing(func, tuple(plain), general)


def _viewing(func: Any, general: Handler) -> Handler:
    """A view of its only tensor."""
    name = func._schema.name
    kernel = devices.backend().kernel(func)
    record = recorder.op

    def run(func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        source = args[0]
        if type(source) is not VirtualTensor:
            return general(func, args, kwargs)
        gpu = source._gpu
        record(name, gpu)
        return wrap(kernel(source._inner, *args[1:], **kwargs), gpu, source._block)

    return run


def _computing(func: Any, positions: tuple[int, ...], general: Handler) -> Handler:
    """An op that makes one new tensor from the tensors at these positions."""
    name = func._schema.name
    kernel = devices.backend().kernel(func)
    record = recorder.op

    def run(func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        inner = list(args)
        given = len(inner)
        gpu = HOST
        for i in positions:
            if i >= given:
                break
            value = inner[i]
            if type(value) is VirtualTensor:
                if value._gpu != gpu:
                    if gpu != HOST:
                        return general(func, args, kwargs)
                    gpu = value._gpu
                inner[i] = value._inner
            elif value is not None:
                return general(func, args, kwargs)
        if gpu == HOST:
            return general(func, args, kwargs)
        record(name, gpu)
        result = kernel(*inner, **kwargs)
        return wrap(result, gpu) if type(result) is Tensor else result

    return run


def _reading_anything(func: Any, *, shares: bool) -> Handler:
    """The long way, for any arguments and results."""
    name = func._schema.name
    kernel = devices.backend().kernel(func)
    listed = name.startswith("aten::_foreach")
    watcher = _watcher

    def run(func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        found = Found()
        inner = unpack(args, found)
        inner_kwargs = unpack_keywords(kwargs, found)
        if found.spread:
            mixing.check(func, args, kwargs)
        recorder.op(name, found.gpu)
        result = kernel(*inner, **inner_kwargs)
        if watcher is not None and found.gpu != HOST:
            watcher(func, found.gpu, inner, inner_kwargs, result)
        if listed:
            lists = (value for value in args if isinstance(value, (list, tuple)))
            return repack_each(result, next(lists))
        return repack(result, found.gpu, found.block if shares else None)

    return run


# ---------------------------------------------------------------------- ops that create


def _creating(func: Any) -> Handler:
    """An op with a device argument: `device` says where the result goes, if it says anything."""
    without_device = reading(func)
    name = func._schema.name
    backend = devices.backend()
    kernel = backend.kernel(func)
    watcher = _watcher

    def run(func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        device = kwargs.get("device")
        if device is None:
            return without_device(func, args, kwargs)
        found = Found()
        inner = unpack(args, found)
        inner_kwargs = unpack_keywords(kwargs, found)
        gpu = devices.place(device)
        inner_kwargs["device"] = device if gpu is None else backend.device(gpu)
        inner_kwargs.pop("pin_memory", None)
        recorder.op(name, HOST if gpu is None else gpu)
        result = kernel(*inner, **inner_kwargs)
        if gpu is None:
            return result
        if watcher is not None and gpu != HOST:
            watcher(func, gpu, inner, inner_kwargs, result)
        return wrap(result, gpu)

    return run


# ---------------------------------------------------------------------- ops that write


def _writing(func: Any) -> Handler:
    """An op that writes into an argument, and returns that argument where its schema says so."""
    schema = func._schema
    name = schema.name
    kernel = devices.backend().kernel(func)
    returned = [_source(schema, value) for value in schema.returns]
    outputs = [a.name for a in schema.arguments if _written(a) and a.kwarg_only]
    written = [i for i, a in enumerate(schema.arguments) if _written(a)]
    reshapes = torch.Tag.inplace_view in func.tags
    watcher = _watcher

    def run(func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        found = Found()
        inner = unpack(args, found)
        inner_kwargs = unpack_keywords(kwargs, found)
        for i in written:
            if i < len(args) and type(args[i]) is VirtualTensor:
                inner[i] = as_marked(args[i])
        for output in outputs:
            if type(kwargs.get(output)) is VirtualTensor:
                inner_kwargs[output] = as_marked(kwargs[output])
        if found.spread:
            mixing.check(func, args, kwargs)
        recorder.op(name, found.gpu)
        result = kernel(*inner, **inner_kwargs)
        if watcher is not None and found.gpu != HOST:
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


setattr(VirtualTensor, "__torch_dispatch__", staticmethod(execute))  # noqa: B010
