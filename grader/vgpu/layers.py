"""Which layer runs: follows modules as they call one another, and watches the CPU meanwhile.

A layer that stayed on the CPU runs no op of a virtual GPU, so during a forward pass a dispatch
mode sees the ops of plain tensors too.
"""

from __future__ import annotations

import sys
import threading
from typing import Any
from weakref import WeakKeyDictionary

from torch import nn
from torch.nn.modules import module as hooks
from torch.utils._python_dispatch import TorchDispatchMode

from grader.trace import HOST
from grader.vgpu import devices, dispatch, recorder
from grader.vgpu.recorder import here
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
            return dispatch.execute(func, args, kwargs)
        result = func(*args, **kwargs)
        if not types:
            recorder.op(func._schema.name, HOST)
        return result


class _Calls(threading.local):
    """The modules at work in this thread."""

    def __init__(self) -> None:
        self.outer: list[str | None] = []  # layers to come back to
        self.root: nn.Module | None = None
        self.names: WeakKeyDictionary[nn.Module, str] = WeakKeyDictionary()
        self.mode: _HostOps | None = None


_calls = _Calls()
#: Names of the modules inside a root, kept from one call to the next.
_names: WeakKeyDictionary[nn.Module, WeakKeyDictionary[nn.Module, str]] = WeakKeyDictionary()


def install() -> None:
    """Hook every module of this process, those that exist already included."""
    hooks.register_module_forward_pre_hook(_enter)
    hooks.register_module_forward_hook(_leave, always_call=True)


def unwind() -> None:
    """Leave all modules of this thread: what stopped them (sys.exit) ran no hook."""
    while _calls.outer:
        _pop()


def _enter(module: nn.Module, args: Any) -> None:  # noqa: ARG001 - torch's signature
    calls = _calls
    if not calls.outer:
        _begin(module)
    calls.outer.append(here.layer)
    here.depth += 1
    here.layer = _name(module)


def _leave(module: nn.Module, args: Any, output: Any) -> None:  # noqa: ARG001
    error = sys.exc_info()[1]  # torch calls this hook from its `except`, too
    if error is not None:
        cuda_words(error)
    if _calls.outer:
        _pop()


def _pop() -> None:
    calls = _calls
    here.layer = calls.outer.pop()
    here.depth -= 1
    if not calls.outer:
        here.forward = None
        calls.root = None
        if calls.mode is not None:
            calls.mode.__exit__(None, None, None)  # type: ignore[no-untyped-call]
            calls.mode = None


def _begin(module: nn.Module) -> None:
    """The outermost module of this thread starts: a forward pass, unless backward() replays it."""
    calls = _calls
    calls.root = module
    calls.names = _names.get(module) or _names.setdefault(module, WeakKeyDictionary())
    here.forward = None if recorder.in_backward() else recorder.next_forward()
    calls.mode = _HostOps()  # type: ignore[no-untyped-call]
    calls.mode.__enter__()  # type: ignore[no-untyped-call]


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
