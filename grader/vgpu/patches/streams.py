"""Streams and events of torch.cuda.

The numbers of a virtual GPU are there when an op returns. So streams are names, until time is
simulated: then the simulator keeps a queue for each, and where the script sees that time
(`--clock virtual`), events and `query` tell it.
"""

from __future__ import annotations

import ctypes
import itertools
import time
from types import NoneType
from typing import Any, Never, Self

import torch

from grader.vgpu import clock, devices
from grader.vgpu import current_stream as current
from grader.vgpu.devices import Device

_CUDA = 1  # the number of CUDA among torch's device types
_PRIORITIES = (0, -3)  # least and greatest, as torch sees on current GPUs
_POLL = 1e-6  # seconds of virtual time that asking once takes the host, so that asking again helps

_generic_stream: Any = torch.Stream
_generic_event: Any = torch.Event
_now = time.perf_counter
_ids = itertools.count(1)


class Stream(_generic_stream):  # type: ignore[misc] # decided above
    """torch.cuda.Stream: a queue of one GPU; `stream_id` 0 is the default one."""

    priority: int

    def __new__(cls, device: Any = None, priority: int = 0, **kwargs: Any) -> Self:
        if "stream_id" in kwargs:
            number, gpu = kwargs["stream_id"], devices.index_of(kwargs["device_index"])
        else:
            if priority > 0:
                raise RuntimeError(
                    f"Expected cuda stream priority to be less than or equal to 0, got {priority}"
                )
            number, gpu = next(_ids), devices.index_of(device)
        stream: Self = super().__new__(cls, stream_id=number, device_index=gpu, device_type=_CUDA)
        stream.priority = max(priority, _PRIORITIES[1])
        return stream

    def __init__(self, *_: Any, **__: Any) -> None:
        self._entered: list[StreamContext] = []

    @property
    def cuda_stream(self) -> int:
        """A handle, equal for equal streams of a GPU."""
        return int(self.stream_id)

    native_handle = cuda_stream

    @property
    def _as_parameter_(self) -> ctypes.c_void_p:
        return ctypes.c_void_p(self.cuda_stream)

    def __cuda_stream__(self) -> tuple[int, int]:
        """The protocol by which libraries share streams: version and handle."""
        return 0, self.cuda_stream

    @staticmethod
    def priority_range() -> tuple[int, int]:
        return _PRIORITIES

    def synchronize(self) -> None:
        simulator = clock.active()
        if simulator is not None:
            simulator.host_waits(simulator.record(self.device_index, self.stream_id))

    def query(self) -> bool:
        simulator = clock.seen()
        if simulator is None:
            return True
        return _passed(simulator.record(self.device_index, self.stream_id))

    def is_capturing(self) -> bool:
        return False

    def wait_stream(self, stream: Any) -> None:
        simulator = clock.active()
        if simulator is not None:
            self._wait(simulator.record(stream.device_index, stream.stream_id))

    def wait_event(self, event: Event) -> None:
        if event._simulated is not None:
            self._wait(event._simulated)

    def _wait(self, moment: float) -> None:
        clock.require().wait(self.device_index, self.stream_id, moment)

    def record_event(self, event: Event | None = None) -> Event:
        event = Event() if event is None else event
        event.record(self)
        return event

    def __enter__(self) -> Self:
        context = StreamContext(self)
        context.__enter__()
        self._entered.append(context)
        return self

    def __exit__(self, *_: object) -> None:
        self._entered.pop().__exit__()

    @property
    def _identity(self) -> tuple[int, int]:
        return self.stream_id, self.device_index

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stream) and self._identity == other._identity

    def __hash__(self) -> int:
        return hash((self.cuda_stream, self.device))

    def __repr__(self) -> str:
        return f"<torch.cuda.Stream device={self.device} cuda_stream={self.cuda_stream:#x}>"


class ExternalStream(Stream):
    """A stream that another library made, by its handle."""

    def __new__(cls, stream_ptr: int, device: Any = None, **_: Any) -> Self:
        return super().__new__(cls, stream_id=stream_ptr, device_index=devices.index_of(device))


class Event:
    """torch.cuda.Event: a point in the work of a stream."""

    def __init__(
        self,
        enable_timing: bool = False,
        blocking: bool = False,  # noqa: ARG002 - torch's signature
        interprocess: bool = False,  # noqa: ARG002
        external: bool = False,  # noqa: ARG002
    ) -> None:
        self.enable_timing = enable_timing
        self.device: torch.device | None = None  # that of the first stream it was recorded on
        self._time: float | None = None  # of this machine
        self._simulated: float | None = None

    def record(self, stream: Stream | None = None) -> None:
        stream = current_stream() if stream is None else stream
        if self.device not in (None, stream.device):
            raise RuntimeError(
                f"Event device {self.device.index} does not match recording stream's device "
                f"{stream.device_index}."
            )
        self.device = stream.device
        devices.backend().synchronize()  # what came before is done, or is not measured
        self._time = _now()
        simulator = clock.active()
        if simulator is not None:
            self._simulated = simulator.record(stream.device_index, stream.stream_id)

    def query(self) -> bool:
        return self._simulated is None or clock.seen() is None or _passed(self._simulated)

    def wait(self, stream: Stream | None = None) -> None:
        (current_stream() if stream is None else stream).wait_event(self)

    def synchronize(self) -> None:
        if self._simulated is not None:
            clock.require().host_waits(self._simulated)

    def elapsed_time(self, end_event: Event) -> float:
        """Milliseconds from this event to the other, by the clock that the script sees."""
        if not (self.enable_timing and end_event.enable_timing):
            raise ValueError("Both events must be created with argument 'enable_timing=True'.")
        if self._time is None or end_event._time is None:
            raise ValueError("Both events must be recorded before calculating elapsed time.")
        if not (self.query() and end_event.query()):
            raise RuntimeError("Both events must be completed before calculating elapsed time.")
        if clock.seen() is None:
            return (end_event._time - self._time) * 1e3
        assert self._simulated is not None
        assert end_event._simulated is not None
        return (end_event._simulated - self._simulated) * 1e3

    def ipc_handle(self) -> Never:
        raise NotImplementedError("virtual GPUs do not have torch.cuda.Event.ipc_handle")

    @classmethod
    def from_ipc_handle(cls, device: Any, handle: bytes) -> Never:
        raise NotImplementedError("virtual GPUs do not have torch.cuda.Event.from_ipc_handle")

    @property
    def cuda_event(self) -> int:
        """A handle; 0 before the event is first recorded."""
        return 0 if self._time is None else id(self)

    def __repr__(self) -> str:
        if self._time is None:
            return "<torch.cuda.Event uninitialized>"
        return f"<torch.cuda.Event {self.cuda_event:#x}>"


def _passed(moment: float) -> bool:
    """Whether the host has reached a moment of virtual time."""
    simulator = clock.require()
    if moment <= simulator.now():
        return True
    simulator.sleep(_POLL)
    return False


class StreamContext:
    """`with torch.cuda.stream(s)`: s and its GPU are current inside."""

    def __init__(self, stream: Stream | None) -> None:
        self.stream = stream
        self._before = (0, 0)  # the stream of the same GPU, the current GPU

    def __enter__(self) -> None:
        if self.stream is not None:
            self._before = (current.of(self.stream.device_index), devices.current())
            set_stream(self.stream)

    def __exit__(self, *_: object) -> None:
        if self.stream is not None:
            stream, gpu = self._before
            current.choose(self.stream.device_index, stream)
            devices.set_current(gpu)


def stream(stream: Stream | None) -> StreamContext:
    return StreamContext(stream)


def current_stream(device: Any = None) -> Stream:
    gpu = devices.index_of(device)
    return Stream(stream_id=current.of(gpu), device_index=gpu)


def default_stream(device: Any = None) -> Stream:
    return Stream(stream_id=0, device_index=devices.index_of(device))


def get_stream_from_external(data_ptr: int, device: Any = None) -> ExternalStream:
    return ExternalStream(data_ptr, device)


def set_stream(stream: Stream | None) -> None:
    """Make a stream, and its GPU, current."""
    if stream is not None:
        _set_stream_by_id(stream.stream_id, stream.device_index, _CUDA)


def _set_stream_by_id(stream_id: int, device_index: int, device_type: int) -> None:  # noqa: ARG001
    devices.set_current(device_index)
    current.choose(device_index, stream_id)


def synchronize(gpu: int) -> None:
    """The host waits for all streams of a GPU."""
    simulator = clock.active()
    if simulator is not None:
        simulator.synchronize(gpu)


# ---------------------------------------------------------------------- torch.Stream, torch.Event


class _GenericType(type):
    """Makes a class that stands for torch.Stream or torch.Event, which ask C++ for a GPU."""

    generic: Any
    ours: Any

    def __call__(cls, device: Any = None, *args: Any, **kwargs: Any) -> Any:
        if device is None and "device_type" not in kwargs:
            device = Device("cuda")
        kind = kwargs.get("device_type", _CUDA)
        if not isinstance(device, (int, NoneType)):
            kind = _CUDA if Device(device).type == "cuda" else None
        if kind != _CUDA:
            return cls.generic(*(() if device is None else (device,)), *args, **kwargs)
        if cls.ours is Event:
            return Event(*args, **kwargs)
        return Stream(device, *args, **kwargs)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, (cls.generic, cls.ours))

    def __subclasscheck__(cls, subclass: type) -> bool:
        return subclass is cls or issubclass(subclass, (cls.generic, cls.ours))


class _StreamFace(metaclass=_GenericType):
    generic, ours = _generic_stream, Stream


class _EventFace(metaclass=_GenericType):
    generic, ours = _generic_event, Event


_NAMES = {
    "Stream": Stream,
    "ExternalStream": ExternalStream,
    "Event": Event,
    "StreamContext": StreamContext,
    "stream": stream,
    "current_stream": current_stream,
    "default_stream": default_stream,
    "get_stream_from_external": get_stream_from_external,
    "set_stream": set_stream,
    "_set_stream_by_id": _set_stream_by_id,
}


def install() -> None:
    """Put all of the above in torch.cuda, and the generic classes in torch."""
    for name, thing in _NAMES.items():
        for module in (torch.cuda, torch.cuda.streams):
            if hasattr(module, name):
                setattr(module, name, thing)
    for name, face in (("Stream", _StreamFace), ("Event", _EventFace)):
        face.__module__, face.__qualname__, face.__name__ = "torch", name, name
        setattr(torch, name, face)
    setattr(torch.accelerator, "set_stream", set_stream)  # noqa: B010 - its types are torch's
