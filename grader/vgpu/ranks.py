"""Processes of one run: which rank this one is, and the trace it leaves when it ends."""

from __future__ import annotations

import atexit
import functools
import json
import multiprocessing.util
import os
from pathlib import Path

from grader.processes import Process
from grader.vgpu import devices, recorder

_LAST = -100  # after the script's own farewells


class _Identity:
    """What torch.distributed, or torchrun, called this process."""

    rank: int | None = None
    world: int | None = None


_identity = _Identity()


def joined(rank: int, world: int) -> None:
    """Note that this process is `rank` of `world`; what it joined first counts."""
    if _identity.rank is None:
        _identity.rank, _identity.world = rank, world


def install(folder: Path | None) -> None:
    """Leave a trace in `folder`, if there is one, when this process ends."""
    if folder is None:
        return
    folder = folder.resolve()  # the script may change directory
    atexit.register(leave, folder)
    os.register_at_fork(after_in_child=_forget)
    # A forked process ends without atexit, and forgets finalizers registered before this point.
    multiprocessing.util.register_after_fork(_identity, functools.partial(_finalize, folder))


def _forget() -> None:
    """What the parent did before the fork is in the parent's own trace."""
    recorder.reset()
    _identity.rank = _identity.world = None


def _finalize(folder: Path, _: object) -> None:
    multiprocessing.util.Finalize(None, leave, args=(folder,), exitpriority=_LAST)


def leave(folder: Path) -> None:
    """Write this process's trace, if it used a GPU: launchers and data loaders do not."""
    trace = recorder.trace()
    if not devices.is_initialized() or not (trace.ops or trace.transfers or trace.messages):
        return
    process = Process(rank(), world(), os.getpid(), trace)
    folder.mkdir(parents=True, exist_ok=True)
    name = "main" if process.rank is None else f"rank{process.rank}"
    target = folder / f"{name}-{process.pid}.json"
    partial = target.with_suffix(".partial")
    partial.write_text(json.dumps(process.to_json()), "utf-8")
    partial.replace(target)


def rank() -> int | None:
    return _identity.rank if _identity.rank is not None else _from_environment("RANK")


def world() -> int | None:
    return _identity.world if _identity.world is not None else _from_environment("WORLD_SIZE")


def _from_environment(name: str) -> int | None:
    text = os.environ.get(name, "")
    return int(text) if text.isdecimal() else None
