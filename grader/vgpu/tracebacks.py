"""Tracebacks as the script would have them on a machine with GPUs: without our own frames."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from grader.vgpu.explain import at_end

_OURS = f"{Path(__file__).parent}{os.sep}"
#: What runs a script for `vgpu`; the script's own frames come below it.
_RUNNER = f"{_OURS}script.py"
#: In our own frames these are faults of ours, and the frames say where.
_FAULTS = (AttributeError, LookupError, NameError)

_show = sys.excepthook
_show_in_thread = threading.excepthook


def install() -> None:
    """Clean what ends the script, or a thread of it, before it is printed."""
    sys.excepthook = show
    threading.excepthook = show_in_thread


def show(
    kind: type[BaseException],
    error: BaseException,
    trace: TracebackType | None,  # noqa: ARG001 - it is the error's, which is cleaned
) -> None:
    clean(at_end(error))
    _show(kind, error, error.__traceback__)


def show_in_thread(args: Any) -> None:
    if args.exc_value is not None:
        clean(at_end(args.exc_value))
        value = args.exc_value
        args = threading.ExceptHookArgs((args.exc_type, value, value.__traceback__, args.thread))
    _show_in_thread(args)


def clean(error: BaseException) -> None:
    """Leave our frames out of its traceback, and of those it is chained to or groups."""
    for each in _all(error, set()):
        each.__traceback__ = _without_ours(each)


def _all(error: BaseException, seen: set[int]) -> Iterator[BaseException]:
    if id(error) in seen:
        return
    seen.add(id(error))
    yield error
    inner = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    for other in (error.__cause__, error.__context__, *inner):
        if other is not None:
            yield from _all(other, seen)


def _without_ours(error: BaseException) -> TracebackType | None:
    entries = []
    entry = error.__traceback__
    while entry is not None:
        entries.append(entry)
        entry = entry.tb_next
    files = [entry.tb_frame.f_code.co_filename for entry in entries]
    start = max((i + 1 for i, file in enumerate(files) if file == _RUNNER), default=0)
    fault = bool(files) and files[-1].startswith(_OURS) and isinstance(error, _FAULTS)
    kept: TracebackType | None = None
    for entry, file in reversed(list(zip(entries[start:], files[start:], strict=True))):
        if fault or not file.startswith(_OURS):
            kept = TracebackType(kept, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
    return kept
