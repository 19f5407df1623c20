"""What processes are doing, read from /proc: who descends from whom, memory, processor time."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

_TICKS = os.sysconf("SC_CLK_TCK")

#: What a process that ends while we look leaves us with.
_GONE = (FileNotFoundError, ProcessLookupError)


@dataclass(frozen=True)
class Memory:
    """Bytes: of its own, and shared with others or with files in memory."""

    own: int = 0
    shared: int = 0


def descendants(root: int) -> list[int]:
    """All living descendants of a process, parents first."""
    found: list[int] = []
    todo = [root]
    while todo:
        children = list(_children(todo.pop()))
        found += children
        todo += children
    return found


def _children(pid: int) -> Iterator[int]:
    with suppress(*_GONE):
        for task in os.listdir(f"/proc/{pid}/task"):
            with suppress(*_GONE), open(f"/proc/{pid}/task/{task}/children", "rb") as file:
                yield from map(int, file.read().split())


def memory(pid: int | str = "self") -> Memory:
    """Of one process; nothing of one that has ended."""
    found = {b"RssAnon": 0, b"RssShmem": 0}
    with suppress(*_GONE), open(f"/proc/{pid}/status", "rb") as file:
        for line in file:
            name, _, value = line.partition(b":")
            if name in found:
                found[name] = int(value.split()[0]) * 1024
    return Memory(found[b"RssAnon"], found[b"RssShmem"])


def memory_of(pids: Iterable[int], inherited: int) -> int:
    """Bytes of several processes, each of which shares `inherited` bytes with its zygote."""
    used = map(memory, pids)
    return sum(max(0, m.own - inherited) + m.shared for m in used)


def processor_seconds(pids: Iterable[int]) -> float:
    """Processor time of these processes and of their children that have ended."""
    ticks = 0
    for pid in pids:
        with suppress(*_GONE), open(f"/proc/{pid}/stat", "rb") as file:
            ticks += sum(map(int, file.read().rpartition(b")")[2].split()[11:15]))
    return ticks / _TICKS


def starved_seconds(pids: Iterable[int]) -> float:
    """How long these processes could have run, but had to wait for a processor."""
    waited = 0
    for pid in pids:
        with suppress(*_GONE), open(f"/proc/{pid}/schedstat", "rb") as file:
            waited += int(file.read().split()[1])
    return waited / 1e9


def threads_of_user(uid: int) -> int:
    """How many threads a user has on this machine."""
    count = 0
    for name in filter(str.isdigit, os.listdir("/proc")):
        with suppress(*_GONE, PermissionError):
            if os.stat(f"/proc/{name}").st_uid == uid:
                count += len(os.listdir(f"/proc/{name}/task"))
    return count


def deleted_files(pids: Iterable[int]) -> int:
    """Bytes on disk of files that are open but have no name any more."""
    sizes: dict[tuple[int, int], int] = {}
    for pid in pids:
        with suppress(*_GONE, PermissionError):
            for name in os.listdir(f"/proc/{pid}/fd"):
                with suppress(*_GONE, OSError):
                    seen = os.stat(f"/proc/{pid}/fd/{name}")
                    if seen.st_nlink == 0:
                        sizes[seen.st_dev, seen.st_ino] = seen.st_blocks * 512
    return sum(sizes.values())
