"""Streams and events. Ops of a virtual GPU are done when they return, so there is no queue."""

from __future__ import annotations

import time
from typing import Any, Self

import torch

from grader.vgpu import devices


class Stream:
    """A stream of one GPU; work on it is done in the order of the program."""

    priority = 0
    cuda_stream = 0
    stream_id = 0
    device_type = 1

    def __init__(self, device: Any = None, priority: int = 0, **_: Any) -> None:
        self.device = devices.shown(devices.index_of(device))
        self.device_index = self.device.index
        self.priority = priority
        self._outer: Stream | None = None

    def synchronize(self) -> None:
        """All work is done already."""

    def query(self) -> bool:
        return True

    def is_capturing(self) -> bool:
        return False

    def wait_stream(self, stream: Stream) -> None:
        """All work is done already."""

    def wait_event(self, event: Event) -> None:
        """All work is done already."""

    def record_event(self, event: Event | None = None) -> Event:
        event = Event() if event is None else event
        event.record(self)
        return event

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stream) and self.device == other.device

    def __hash__(self) -> int:
        return hash(("stream", self.device))

    def __repr__(self) -> str:
        return f"<torch.cuda.Stream device={self.device} cuda_stream={self.cuda_stream:#x}>"


class Event:
    """A point in time; elapsed times are those of this machine's clock."""

    def __init__(
        self,
        enable_timing: bool = False,
        blocking: bool = False,  # noqa: ARG002 - torch's signature
        interprocess: bool = False,  # noqa: ARG002
        external: bool = False,  # noqa: ARG002
    ) -> None:
        self.enable_timing = enable_timing
        self._time: float | None = None

    def record(self, stream: Stream | None = None) -> None:  # noqa: ARG002
        devices.initialize()
        self._time = time.perf_counter()

    def query(self) -> bool:
        return True

    def wait(self, stream: Stream | None = None) -> None:
        """All work is done already."""

    def synchronize(self) -> None:
        """All work is done already."""

    def elapsed_time(self, end_event: Event) -> float:
        """Milliseconds from this event to the other."""
        if not (self.enable_timing and end_event.enable_timing):
            raise ValueError("Both events must be created with argument 'enable_timing=True'.")
        if self._time is None or end_event._time is None:
            raise ValueError("Both events must be recorded before calculating elapsed time.")
        return (end_event._time - self._time) * 1e3


class StreamContext:
    """`with torch.cuda.stream(s)`: the stream's GPU is current inside."""

    def __init__(self, stream: Stream | None) -> None:
        self.stream = stream
        self._before = -1

    def __enter__(self) -> Stream | None:
        if self.stream is not None:
            self._before = devices.set_current(self.stream.device_index)
        return self.stream

    def __exit__(self, *_: object) -> None:
        if self.stream is not None:
            devices.set_current(self._before)


def stream(stream: Stream | None) -> StreamContext:
    return StreamContext(stream)


def current_stream(device: Any = None) -> Stream:
    return Stream(device)


def default_stream(device: Any = None) -> Stream:
    return Stream(device)


def set_stream(stream: Stream | None) -> None:
    if stream is not None:
        devices.set_current(stream.device_index)


torch_names = (Stream, Event, StreamContext, stream, current_stream, default_stream, set_stream)


def install() -> None:
    """Put all of the above in torch.cuda."""
    for thing in torch_names:
        for module in (torch.cuda, torch.cuda.streams):
            if hasattr(module, thing.__name__):
                setattr(module, thing.__name__, thing)
