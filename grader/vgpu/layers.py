"""Which layer runs: follows modules as they call one another, and watches the CPU meanwhile.

A layer that stayed on the CPU runs no op of a virtual GPU, so during a forward pass a dispatch
mode sees the ops of plain tensors too.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from grader.trace import HOST, Phase
from grader.vgpu import devices, dispatch, recorder
from grader.vgpu.recorder import Where, here
from grader.vgpu.tensor import VirtualTensor
from grader.vgpu.wording import cuda_words


class _HostOps(TorchDispatchMode):  # type: ignore[no-untyped-call] # torch's is untyped
    """Records ops on plain tensors; those of virtual GPUs record themselves."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Keep torch from wrapping us: the wrapper imports dynamo, half a second per process."""
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        device = kwargs.get("device")
        if VirtualTensor in types or (
            device is not None and device.type in ("cuda", devices.CARRIER)
        ):
            return dispatch.execute(func, types, args, kwargs)
        result = func(*args, **kwargs)
        if not types:
            recorder.op(func._schema.name, HOST)
        return result


class _Calls(threading.local):
    """The outermost module at work in this thread, and its forward pass."""

    def __init__(self) -> None:
        self.root: nn.Module | None = None
        self.forward: int | None = None
        self.names: WeakKeyDictionary[nn.Module, str] = WeakKeyDictionary()
        self.mode: AbstractContextManager[Any] = _watcher()


#: Makes what watches ops of the CPU during a forward pass.
_watcher: Callable[[], AbstractContextManager[Any]] = _HostOps
_calls = _Calls()
#: Names of the modules inside a root, kept from one call to the next.
_names: WeakKeyDictionary[nn.Module, WeakKeyDictionary[nn.Module, str]] = WeakKeyDictionary()
_call_module: Any = nn.Module.__call__


def install(*, watch_host: bool = True) -> None:
    """Follow every call of a module in this process, and ops of the CPU meanwhile."""
    global _watcher  # noqa: PLW0603 - one per process
    if not watch_host:
        _watcher = nullcontext
    setattr(nn.Module, "__call__", _call)  # noqa: B010 - it is a method to mypy


@contextmanager
def not_followed() -> Iterator[None]:
    """Calls of modules are torch's own inside: its tracer compares what it finds there."""
    setattr(nn.Module, "__call__", _call_module)  # noqa: B010
    try:
        yield
    finally:
        install()


# ---------------------------------------------------------------------- across threads


class Position(NamedTuple):
    """Where a thread is, for others that work on its behalf."""

    where: Where
    forward: int | None
    root: nn.Module | None
    names: WeakKeyDictionary[nn.Module, str]


def position() -> Position:
    return Position(here.where, _calls.forward, _calls.root, _calls.names)


@contextmanager
def continuing(outside: Position) -> Iterator[None]:
    """Modules called inside belong to the forward pass of another thread, if it is in one."""
    calls = _calls
    if outside.root is None or calls.root is not None:
        yield
        return
    before = here.where
    here.where, calls.forward, calls.root, calls.names = outside
    try:
        with calls.mode:
            yield
    finally:
        here.where = before
        calls.root = None


def call_alike(copy: nn.Module, original: nn.Module) -> None:
    """Let the modules inside `copy` have the names of those they were copied from."""
    if _calls.root is not None:
        for twin, module in zip(copy.modules(), original.modules(), strict=True):
            _calls.names[twin] = _name(module)


# ---------------------------------------------------------------------- calls


@functools.wraps(_call_module)
def _call(self: nn.Module, *args: Any, **kwargs: Any) -> Any:
    calls = _calls
    if calls.root is None:
        return _outermost(self, *args, **kwargs)
    outer = here.where
    here.where = Where(_name(self), Phase.FORWARD, calls.forward)
    try:
        return _call_module(self, *args, **kwargs)
    finally:
        here.where = outer


def _outermost(module: nn.Module, *args: Any, **kwargs: Any) -> Any:
    """A forward pass begins, unless backward() replays it; ops of the CPU are watched too."""
    calls = _calls
    calls.root = module
    calls.names = _names.get(module) or _names.setdefault(module, WeakKeyDictionary())
    calls.forward = None if recorder.in_backward() else recorder.next_forward()
    outer = here.where
    here.where = Where(type(module).__name__, Phase.FORWARD, calls.forward)
    try:
        with calls.mode:
            return _call_module(module, *args, **kwargs)
    except Exception as error:
        cuda_words(error)
        raise
    finally:
        here.where = outer
        calls.root = None


def _name(module: nn.Module) -> str:
    """Path inside the outermost module; its class where it has no path there."""
    calls = _calls
    if module is calls.root:
        return type(module).__name__
    name = calls.names.get(module)
    if name is None and calls.root is not None:
        calls.names.update({inner: path for path, inner in calls.root.named_modules()})
        name = calls.names.setdefault(module, type(module).__name__)
    return name or type(module).__name__
