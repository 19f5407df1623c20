"""Huge pages: a process that is forked often is copied quicker when it has few, large pages."""

from __future__ import annotations

from grader.sandbox.kernel.calls import madvise

_HUGE = 2 << 20
_COLLAPSE = 25  # MADV_COLLAPSE, Linux 6.1


def collapse() -> None:
    """Put this process's own memory on huge pages, where the kernel can; else leave it."""
    for start, end in _own_memory():
        for address in range(-(-start // _HUGE) * _HUGE, end - _HUGE + 1, _HUGE):
            try:
                madvise(address, _HUGE, _COLLAPSE)
            except OSError:
                continue  # not all of it is there, or this kernel does not do it


def _own_memory() -> list[tuple[int, int]]:
    """Address ranges that no file stands behind."""
    ranges = []
    with open("/proc/self/maps", encoding="utf-8") as maps:
        for line in maps:
            addresses, mode, *_, inode = line.split()[:5]
            if mode == "rw-p" and inode == "0":
                start, end = addresses.split("-")
                ranges.append((int(start, 16), int(end, 16)))
    return ranges
