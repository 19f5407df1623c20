"""Virtual time: when each op and copy runs, were the GPUs real.

The host issues work and goes on; each stream of a GPU does its own in order. Streams of one GPU
run side by side, each at full speed: the overlap shown is the best that could be had. Copies are
PyTorch's: one between GPUs runs on the source's current stream, begins when both current streams
are free, and both are free when it ends; one from or to the host holds the host up, too, unless
it is `non_blocking`. A link carries one copy at a time in each direction.

The host's own time passes only where it waits for a GPU, sleeps, or launches ops on a GPU whose
spec says what that takes; what Python and the CPU do costs nothing. Each thread has a time of its
own, and a new one begins at that of the thread that switched the virtual GPUs on.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from grader.timeline import HOST, Gpu, Kind, Span, Timeline
from grader.vgpu import current_stream, devices, dispatch, recorder
from grader.vgpu.clock import cost, origin, steps
from grader.vgpu.clock.origin import Origin
from grader.vgpu.clock.spec import GpuSpec, Link
from grader.vgpu.clock.steps import Mark

#: Spans that are kept; the clock runs on behind them.
LIMIT = 200_000


class _Host:
    """The time of one thread of the script."""

    __slots__ = ("time",)

    def __init__(self, time: float) -> None:
        self.time = time


class Simulator:
    """The clocks of one process: seconds since it began, all zero at first."""

    def __init__(self, spec: GpuSpec) -> None:
        self.spec = spec
        self._main = _Host(0.0)
        self._threads = threading.local()
        self._threads.host = self._main
        self._lock = threading.RLock()
        self._ready: dict[tuple[int, int], float] = {}  # by GPU and stream
        self._lanes: dict[tuple[int, str], float] = {}  # when a GPU's way in or out is free
        self._spans: list[Span] = []
        self._marks: list[tuple[int, Mark]] = []
        self._truncated = False

    def listen(self) -> None:
        """Hear of every op and transfer; before the first."""
        dispatch.watch(self.op)
        recorder.watch(self.transfer)

    # ------------------------------------------------------------------ work

    def op(
        self, func: Any, gpu: int, args: Sequence[Any], kwargs: dict[str, Any], result: Any
    ) -> None:
        """The host issues one op on the current stream of a GPU."""
        if cost.is_free(func):
            return
        estimate = cost.estimate(self.spec, func, args, kwargs, result)
        with self._lock:
            host = self._host
            host.time += self.spec.launch
            source = origin.find(self, gpu)
            start = max(host.time, self.ready(gpu, source.stream))
            end = self._ready[gpu, source.stream] = start + estimate.seconds
            self._keep(gpu, source, start, end, func._schema.name, Kind.COMPUTE, estimate.bytes)

    def transfer(self, source: int, target: int, size: int, non_blocking: bool) -> None:
        """The host asks for a copy of `size` bytes; `HOST` is the host."""
        if not size:
            return
        with self._lock:
            ends = [(gpu, origin.find(self, gpu)) for gpu in (source, target) if gpu != HOST]
            if HOST in (source, target):
                end = self._copy(ends, (source, target), size, self.spec.host_link)
                if not non_blocking:
                    self._host.time = end
            else:
                self._copy(ends, (source, target), size, self.spec.gpu_link)

    def _copy(
        self, ends: list[tuple[int, Origin]], way: tuple[int, int], size: int, link: Link
    ) -> float:
        """One copy, which all streams at its ends wait for; answers when it is done."""
        streams = [(gpu, found.stream) for gpu, found in ends]
        lanes = _lanes(*way)
        free = [self._lanes.get(lane, 0.0) for lane in lanes]
        start = max(self._host.time, *(self.ready(*stream) for stream in streams), *free)
        end = start + link.seconds(size)
        self._ready.update(dict.fromkeys(streams, end))
        self._lanes.update(dict.fromkeys(lanes, end))
        gpu, source = ends[0]
        peer = way[1] if way[0] == gpu else way[0]
        name = f"copy {_name(way[0])} to {_name(way[1])}"
        self._keep(gpu, source, start, end, name, Kind.COPY, size, peer)
        return end

    def _keep(
        self,
        gpu: int,
        source: Origin,
        start: float,
        end: float,
        name: str,
        kind: Kind,
        size: int,
        peer: int | None = None,
    ) -> None:
        if start == end:
            return
        if len(self._spans) >= LIMIT:
            self._truncated = True
            return
        stream, phase, layer, forward = source
        span = Span(gpu, stream, start, end, name, kind, phase, layer, forward, None, peer, size)
        self._spans.append(span)

    # ------------------------------------------------------------------ waiting

    @property
    def _host(self) -> _Host:
        host: _Host | None = getattr(self._threads, "host", None)
        if host is None:
            host = self._threads.host = _Host(self._main.time)
        return host

    def now(self) -> float:
        """The time of this thread of the host."""
        return self._host.time

    def sleep(self, seconds: float) -> None:
        """The host does something else for so long."""
        self._host.time += seconds

    def ready(self, gpu: int, stream: int) -> float:
        """When a stream is done with all that was issued so far."""
        return self._ready.get((gpu, stream), 0.0)

    def record(self, gpu: int, stream: int) -> float:
        """The time of an event recorded on a stream now."""
        with self._lock:
            origin.leave_backward(self)
            return max(self._host.time, self.ready(gpu, stream))

    def wait(self, gpu: int, stream: int, time: float) -> None:
        """What is issued on a stream from now on begins at `time` or later."""
        with self._lock:
            self._ready[gpu, stream] = max(time, self.ready(gpu, stream))

    def host_waits(self, time: float) -> None:
        """The host goes on at `time`, if that is later than now."""
        host = self._host
        host.time = max(host.time, time)

    def synchronize(self, gpu: int) -> None:
        """The host waits for all streams of a GPU; a step may end here."""
        with self._lock:
            origin.leave_backward(self)
            self.host_waits(max((t for (g, _), t in self._ready.items() if g == gpu), default=0.0))
            self._mark(Mark.SYNCHRONIZED)

    # ------------------------------------------------------------------ other processes

    def arrival(self, gpu: int) -> float:
        """When this process is ready for an exchange with others on the GPU's current stream."""
        return self.record(gpu, current_stream.of(gpu))

    def meet(
        self, gpu: int, others: float, seconds: float, *, name: str = "exchange", size: int = 0
    ) -> float:
        """An exchange with other processes, on the GPU's current stream; answers when it ends.

        It begins when this process and the last of the others have arrived (`others`, the largest
        of their `arrival`s) and takes `seconds`. The host goes on at once, as with NCCL.
        """
        with self._lock:
            source = origin.find(self, gpu)
            start = max(others, self._host.time, self.ready(gpu, source.stream))
            end = self._ready[gpu, source.stream] = start + seconds
            self._keep(gpu, source, start, end, name, Kind.COPY, size)
            return end

    # ------------------------------------------------------------------ steps

    def end_of_optimizer(self) -> None:
        with self._lock:
            self._mark(Mark.OPTIMIZED)

    def end_step(self) -> None:
        with self._lock:
            self._mark(Mark.TOLD)

    def _mark(self, mark: Mark) -> None:
        if not self._truncated:
            self._marks.append((len(self._spans), mark))

    # ------------------------------------------------------------------ result

    def timeline(self) -> Timeline:
        """A copy of what ran so far, with its steps numbered, in order of time.

        So it is the same however the script's threads took turns.
        """
        with self._lock:
            spans = steps.number(self._spans, self._marks)
            spans.sort(key=lambda span: (span.start, span.gpu, span.stream, span.end, span.name))
            gpus = [Gpu(0, index) for index in range(devices.count())]
            return Timeline(gpus, spans, self.spec.name, self._truncated)

    def reset(self) -> None:
        """Forget what ran; the clocks go on."""
        with self._lock:
            self._spans.clear()
            self._marks.clear()
            self._truncated = False


def _lanes(source: int, target: int) -> list[tuple[int, str]]:
    """What a copy occupies of its GPUs' links."""
    if source == HOST:
        return [(target, "from host")]
    if target == HOST:
        return [(source, "to host")]
    return [(source, "out"), (target, "in")]


def _name(device: int) -> str:
    return "cpu" if device == HOST else f"cuda:{device}"
