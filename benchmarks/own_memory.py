"""Memory of the grader's own processes, without the sandboxes."""

from __future__ import annotations

import contextlib
from pathlib import Path

_SANDBOXES = b"grader.sandbox.zygote"


def own_memory(grader: int) -> int:
    """Bytes held by the process `grader` and what it started, read from /proc.

    Of processes that were started: what is resident. Of those forked from a warm one: what is
    theirs alone, the rest being counted already. What the zygote forks are sandboxes, left out.
    """
    total = _resident(grader)
    for child in _children(grader):
        total += _resident(child)
        if _SANDBOXES not in _read(child, "cmdline"):
            total += sum(map(_alone, _children(child)))
    return total


def _children(pid: int) -> list[int]:
    return [
        int(child) for task in _tasks(pid) for child in _read(pid, f"task/{task}/children").split()
    ]


def _tasks(pid: int) -> list[str]:
    with contextlib.suppress(OSError):
        return [task.name for task in Path(f"/proc/{pid}/task").iterdir()]
    return []


def _resident(pid: int) -> int:
    return _sum(_read(pid, "status"), b"VmRSS:")


def _alone(pid: int) -> int:
    return _sum(_read(pid, "smaps_rollup"), b"Private_Clean:", b"Private_Dirty:")


def _sum(text: bytes, *names: bytes) -> int:
    lines = (line.split() for line in text.splitlines())
    return sum(int(words[1]) * 1024 for words in lines if words and words[0] in names)


def _read(pid: int, name: str) -> bytes:
    """A file of a process; nothing where it has ended meanwhile."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/{name}").read_bytes()
    return b""
