"""Which stream of each GPU is current, per thread; 0 is a GPU's default stream."""

from __future__ import annotations

import threading


class _Thread(threading.local):
    def __init__(self) -> None:
        self.streams: dict[int, int] = {}  # by GPU; a GPU that is missing is on its default stream


_thread = _Thread()


def of(gpu: int) -> int:
    """The number of the current stream."""
    return _thread.streams.get(gpu, 0)


def choose(gpu: int, stream: int) -> None:
    """Make `stream` current on its GPU, in this thread."""
    _thread.streams[gpu] = stream
