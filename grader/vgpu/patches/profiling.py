"""torch.cuda.nvtx and torch.cuda.profiler: marks and ranges for a profiler that is not there.

Ranges answer their depth, as with a profiler: a push the depth of the range it starts, a pop that
of the range it ends.
"""

from __future__ import annotations

import itertools
import threading

from torch.cuda import nvtx, profiler


class _Thread(threading.local):
    depth = 0


class _Ranges:
    """What stands behind torch.cuda.nvtx."""

    def __init__(self) -> None:
        self._thread = _Thread()
        self._handles = itertools.count(1)

    def rangePushA(self, message: str) -> int:  # noqa: N802, ARG002 - NVTX's name
        self._thread.depth += 1
        return self._thread.depth - 1

    def rangePop(self) -> int:  # noqa: N802
        """-1 if nothing was pushed."""
        if not self._thread.depth:
            return -1
        self._thread.depth -= 1
        return self._thread.depth

    def rangeStartA(self, message: str) -> int:  # noqa: N802, ARG002
        return next(self._handles)

    def rangeEnd(self, handle: int) -> None:  # noqa: N802
        """Nobody listens."""

    def markA(self, message: str) -> None:  # noqa: N802
        """Nobody listens."""


def start() -> None:
    """No profiler collects anything."""


def stop() -> None:
    """No profiler collects anything."""


def install() -> None:
    setattr(nvtx, "_nvtx", _Ranges())  # noqa: B010 - a module to mypy
    vars(profiler).update(start=start, stop=stop)
