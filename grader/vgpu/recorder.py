"""Writes down what the devices do, as it happens; `trace` hands out a copy."""

from __future__ import annotations

import os
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import torch

from grader.trace import HOST, Op, Phase, Trace, Transfer, Unlisted
from grader.vgpu import devices, memory

#: How many ops, transfers and losses are kept one by one. Edges and memory stay complete.
LIMIT = 100_000

FORWARD, BACKWARD, OTHER = Phase.FORWARD, Phase.BACKWARD, Phase.OTHER
_backward_id = torch._C._current_graph_task_id
_NOT_USERS = (
    f"{Path(torch.__file__).parent}{os.sep}",
    f"{Path(__file__).parent}{os.sep}",
    "<frozen ",
)


class Here(threading.local):
    """Where this thread is: the module at work and the forward pass it belongs to."""

    def __init__(self) -> None:
        self.layer: str | None = None
        self.forward: int | None = None
        self.depth = 0  # running modules, outermost included


here = Here()
_ops: list[tuple[str, int, str | None, Phase, int | None]] = []
_transfers: list[Transfer] = []
_losses: list[float] = []
_to_calls: Counter[int] = Counter()
_unlisted: Counter[tuple[int, int, Phase]] = Counter()
_unlisted_bytes: Counter[tuple[int, int, Phase]] = Counter()
_forwards = 0
_truncated = False
#: Told of each transfer: source, target, bytes, non_blocking. `HOST` is the host.
_watcher: Callable[[int, int, int, bool], None] | None = None


def watch(watcher: Callable[[int, int, int, bool], None]) -> None:
    """Tell `watcher` of every transfer from now on."""
    global _watcher  # noqa: PLW0603 - one per process
    _watcher = watcher


def in_backward() -> bool:
    return bool(_backward_id() != -1)


def phase() -> Phase:
    if _backward_id() != -1:
        return BACKWARD
    return FORWARD if here.depth else OTHER


def next_forward() -> int:
    """The number of the forward pass that begins."""
    global _forwards  # noqa: PLW0603 - the process is the scope of a trace
    _forwards += 1
    return _forwards - 1


def op(name: str, gpu: int) -> None:
    """One op ran on a GPU, or on the host."""
    global _truncated  # noqa: PLW0603
    if len(_ops) < LIMIT:
        when = BACKWARD if _backward_id() != -1 else FORWARD if here.depth else OTHER
        _ops.append((name, gpu, here.layer, when, here.forward))
    else:
        _truncated = True


def transfer(
    source: int | None, target: int | None, size: int, *, non_blocking: bool = False
) -> None:
    """`size` bytes went from one device to another; None is the host."""
    global _truncated  # noqa: PLW0603
    a = HOST if source is None else source
    b = HOST if target is None else target
    when = phase()
    if _watcher is not None:
        _watcher(a, b, size, non_blocking)
    if len(_transfers) < LIMIT:
        _transfers.append(Transfer(a, b, size, user_line(), when, here.forward))
    else:
        _truncated = True
        _unlisted[a, b, when] += 1
        _unlisted_bytes[a, b, when] += size


def to_call() -> None:
    """`.to()`, `.cuda()` or `.cpu()` was called on a tensor, by code of torch or of the user."""
    if here.depth and here.forward is not None:
        caller = sys._getframe(2).f_code.co_filename
        if not caller.startswith(_NOT_USERS):
            _to_calls[here.forward] += 1


def loss(value: float) -> None:
    """backward() starts from this value."""
    global _truncated  # noqa: PLW0603
    if len(_losses) < LIMIT:
        _losses.append(value)
    else:
        _truncated = True


def user_line() -> str | None:
    """The innermost line that is neither torch's nor ours, as "file:number".

    A thread of torch's own has no such line; there the main thread is waiting for it in one.
    """
    found = _outside(sys._getframe(1))
    if found is None:
        main = threading.main_thread().ident
        found = _outside(sys._current_frames().get(main)) if main is not None else None
    return found


def _outside(frame: FrameType | None) -> str | None:
    while frame is not None:
        file = frame.f_code.co_filename
        if not file.startswith(_NOT_USERS):
            return f"{file}:{frame.f_lineno}"
        frame = frame.f_back
    return None


def trace() -> Trace:
    """A copy of all that was recorded."""
    return Trace(
        devices=devices.count(),
        ops=[Op(*row) for row in list(_ops)],
        transfers=list(_transfers),
        to_calls=Counter(_to_calls),
        peak_memory=[memory.peak(gpu) for gpu in range(devices.count())],
        losses=list(_losses),
        truncated=_truncated,
        unlisted=[Unlisted(*key, n, _unlisted_bytes[key]) for key, n in _unlisted.items()],
    )


def reset() -> None:
    """Forget all of it."""
    global _forwards, _truncated  # noqa: PLW0603
    for record in (_ops, _transfers, _losses, _to_calls, _unlisted, _unlisted_bytes):
        record.clear()
    _forwards = 0
    _truncated = False
    for gpu in range(devices.count()):
        memory.reset_peak(gpu)
