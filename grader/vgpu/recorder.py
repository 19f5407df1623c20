"""Writes down what the devices do, as it happens; `trace` hands out a copy."""

from __future__ import annotations

import os
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, NamedTuple

import torch

from grader.trace import HOST, LAYER_OPS, Message, Op, Phase, Trace, Transfer, Unlisted
from grader.vgpu import devices, memory

#: How many ops, transfers and losses are kept one by one. Edges and memory stay complete.
LIMIT = 100_000

BACKWARD, OTHER = Phase.BACKWARD, Phase.OTHER
_backward_id = torch._C._current_graph_task_id
_NOT_USERS = (
    f"{Path(torch.__file__).parent}{os.sep}",
    f"{Path(__file__).parent.parent}{os.sep}",  # whoever watches a script wraps some of torch
    "<frozen ",
)


class Where(NamedTuple):
    """The module at work, the phase, and the forward pass it belongs to."""

    layer: str | None
    phase: Phase
    forward: int | None


NOWHERE = Where(None, OTHER, None)


class Here(threading.local):
    """Where this thread is. Backward passes are known from autograd itself."""

    where: Where = NOWHERE


here = Here()
# Ops in columns: rows would be as many objects for Python's collector to visit.
_names: list[str] = []
_gpus: list[int] = []
_wheres: list[Where] = []
_backwards: list[bool] = []
_asked_at: list[str | None] = []
_columns = (_names, _gpus, _wheres, _backwards, _asked_at)
_transfers: list[Transfer] = []
_messages: list[Message] = []
_losses: list[float] = []
_to_calls: Counter[int] = Counter()
_unlisted: Counter[tuple[int, int, Phase]] = Counter()
_unlisted_bytes: Counter[tuple[int, int, Phase]] = Counter()
# Lines are found once: that takes longer than copying a small tensor. By id, since to hash a code
# object is to hash its code; the object itself is kept so that its id stays its own.
_not_users_code: dict[int, CodeType] = {}
_lines: dict[tuple[int, int], tuple[CodeType, str]] = {}
_forwards = 0
_moved = _fetched = 0  # copies so far
_truncated = False
#: Told of each transfer: source, target, bytes, non_blocking. `HOST` is the host.
_watcher: Callable[[int, int, int, bool], None] | None = None
_listener: Callable[[str, int, tuple[int, ...] | None], None] | None = None


def watch(watcher: Callable[[int, int, int, bool], None]) -> None:
    """Tell `watcher` of every transfer from now on."""
    global _watcher  # noqa: PLW0603 - one per process
    _watcher = watcher


def listen(listener: Callable[[str, int, tuple[int, ...] | None], None]) -> None:
    """Tell `listener` of every collective, send and receive from now on, as it begins.

    Its name, the bytes that are written or sent here, and the ranks of its group, None for all.
    """
    global _listener  # noqa: PLW0603 - one per process
    _listener = listener


def copies() -> tuple[int, int]:
    """How many copies went from GPU to GPU so far, and how many from a GPU to the host."""
    return _moved, _fetched


def forwards() -> int:
    """How many forward passes have begun so far."""
    return _forwards


@contextmanager
def unrecorded() -> Iterator[None]:
    """What is done in here, to look at what there is, leaves no trace; its copies take no time."""
    global _forwards, _moved, _fetched, _watcher  # noqa: PLW0603 - the process is the scope of a trace
    watcher, _watcher = _watcher, None
    rows: tuple[list[Any], ...] = (_names, _gpus, _wheres, _backwards, _transfers, _losses)
    before, number, called = [len(row) for row in rows], _forwards, Counter(_to_calls)
    copied = _moved, _fetched
    try:
        yield
    finally:
        _watcher = watcher
        for row, length in zip(rows, before, strict=True):
            del row[length:]
        _forwards = number
        _moved, _fetched = copied
        _to_calls.clear()
        _to_calls.update(called)


def in_backward() -> bool:
    return bool(_backward_id() != -1)


def phase() -> Phase:
    return BACKWARD if _backward_id() != -1 else here.where.phase


def next_forward() -> int:
    """The number of the forward pass that begins."""
    global _forwards  # noqa: PLW0603 - the process is the scope of a trace
    _forwards += 1
    return _forwards - 1


def op(name: str, gpu: int) -> None:
    """One op ran on a GPU, or on the host."""
    global _truncated  # noqa: PLW0603
    if len(_names) < LIMIT:
        _names.append(name)
        _gpus.append(gpu)
        _wheres.append(here.where)
        back = _backward_id() != -1
        _backwards.append(back)
        _asked_at.append(user_line() if name in LAYER_OPS and not back else None)
    else:
        _truncated = True


def transfer(source: int, target: int, size: int, *, non_blocking: bool = False) -> None:
    """`size` bytes went from one device to another."""
    global _truncated, _moved, _fetched  # noqa: PLW0603
    _fetched += target == HOST
    _moved += HOST not in (source, target)
    when = phase()
    if _watcher is not None:
        _watcher(source, target, size, non_blocking)
    if len(_transfers) < LIMIT:
        _transfers.append(Transfer(source, target, size, user_line(), when, here.where.forward))
    else:
        _truncated = True
        _unlisted[source, target, when] += 1
        _unlisted_bytes[source, target, when] += size


def message(
    name: str, gpu: int, peer: int | None, size: int, group: tuple[int, ...] | None = None
) -> None:
    """Part was taken in a collective, or something sent to or received from rank `peer`."""
    global _truncated  # noqa: PLW0603
    if _listener is not None:
        _listener(name, size, group)
    if len(_messages) < LIMIT:
        _messages.append(Message(name, gpu, peer, size, phase()))
    else:
        _truncated = True


def to_call() -> None:
    """`.to()`, `.cuda()` or `.cpu()` was called on a tensor, by code of torch or of the user."""
    forward = here.where.forward
    if forward is not None:
        caller = sys._getframe(2).f_code.co_filename
        if not caller.startswith(_NOT_USERS):
            _to_calls[forward] += 1


def loss(value: float) -> None:
    """backward() starts from this value."""
    global _truncated  # noqa: PLW0603
    if len(_losses) < LIMIT:
        _losses.append(value)
    else:
        _truncated = True


def user_line(frame: FrameType | None = None) -> str | None:
    """The innermost line that is neither torch's nor ours, as "file:number"; from `frame` on.

    A thread of torch's own has no such line; there the main thread is waiting for it in one.
    """
    found = _outside(frame or sys._getframe(1))
    if found is None:
        main = threading.main_thread().ident
        found = _outside(sys._current_frames().get(main)) if main is not None else None
    return found


def _outside(frame: FrameType | None) -> str | None:
    while frame is not None:
        code = frame.f_code
        if id(code) not in _not_users_code:
            known = _lines.get((id(code), frame.f_lasti))
            if known is not None:
                return known[1]
            if not code.co_filename.startswith(_NOT_USERS):
                line = f"{code.co_filename}:{frame.f_lineno}"
                _lines[id(code), frame.f_lasti] = (code, line)
                return line
            _not_users_code[id(code)] = code
        frame = frame.f_back
    return None


def trace() -> Trace:
    """A copy of all that was recorded."""
    return Trace(
        devices=devices.count(),
        ops=[
            Op(name, gpu, where.layer, BACKWARD if back else where.phase, where.forward, line)
            for name, gpu, where, back, line in zip(*_columns, strict=False)
        ],
        transfers=list(_transfers),
        messages=list(_messages),
        to_calls=Counter(_to_calls),
        peak_memory=[memory.peak(gpu) for gpu in range(devices.count())],
        losses=list(_losses),
        truncated=_truncated,
        unlisted=[Unlisted(*key, n, _unlisted_bytes[key]) for key, n in _unlisted.items()],
    )


def reset() -> None:
    """Forget all of it."""
    global _forwards, _truncated, _moved, _fetched  # noqa: PLW0603
    for record in (*_columns, _transfers, _messages, _losses):
        record.clear()
    for count in (_to_calls, _unlisted, _unlisted_bytes):
        count.clear()
    _forwards = _moved = _fetched = 0
    _truncated = False
    for gpu in range(devices.count()):
        memory.reset_peak(gpu)
