"""When the devices did what: spans of simulated time, and the questions asked of them.

Standard library only; a timeline is written by `grader.vgpu.clock` and read anywhere. Times are
seconds of virtual time since the process began. A GPU is *busy* while it computes; a copy keeps
it occupied, but does no work of the model.

A step is one training step. `Span.step` numbers it; None is what belongs to none (building the
model, loading data, printing). See `grader.vgpu.clock.steps` for how steps are found.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar

HOST = -1
_T = TypeVar("_T")


class Kind(StrEnum):
    COMPUTE = "compute"
    COPY = "copy"


class Phase(StrEnum):
    """What part of training a span belongs to."""

    FORWARD = "forward"
    BACKWARD = "backward"
    OPTIMIZER = "optimizer"
    OTHER = "other"  # building, feeding, printing, losses written as functions


#: The phases in which the model itself runs.
MODEL = (Phase.FORWARD, Phase.BACKWARD)


class Gpu(NamedTuple):
    """One GPU as one process sees it; `rank` is 0 where there is one process."""

    rank: int
    number: int


class Span(NamedTuple):
    """One op or copy. `gpu` is whose stream it ran on; `peer` is the other end of a copy.

    `forward` numbers the forward pass it belongs to, as in a trace, for its backward too.
    """

    gpu: int
    stream: int  # 0 is the GPU's default stream
    start: float
    end: float
    name: str
    kind: Kind = Kind.COMPUTE
    phase: Phase = Phase.OTHER
    layer: str | None = None
    forward: int | None = None
    step: int | None = None
    peer: int | None = None
    bytes: int = 0  # of a copy; for an op, what it reads and writes
    rank: int = 0

    @property
    def where(self) -> Gpu:
        return Gpu(self.rank, self.gpu)


class Window(NamedTuple):
    """A stretch of time, in seconds."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        return self.end - self.start


@dataclass
class Timeline:
    """What ran on `gpus`, in order of time. `spec` names the kind of GPU simulated.

    Lists of results have one entry per GPU, in the order of `gpus`; in a timeline of one process
    that is by GPU number. `truncated` says that the run was too long to keep all of it.
    """

    gpus: list[Gpu]
    spans: list[Span] = field(default_factory=list)
    spec: str = ""
    truncated: bool = False

    # ------------------------------------------------------------------ questions

    def steps(self) -> list[Window]:
        """The window of each step, in order; they do not overlap.

        Where a GPU begins a step while another still works at the one before, the window begins
        when that one ends, so that the windows' lengths are the times between ends of steps.
        """
        first: dict[int, float] = {}
        last: dict[int, float] = {}
        for span in self.spans:
            if span.step is not None:
                first[span.step] = min(span.start, first.get(span.step, math.inf))
                last[span.step] = max(span.end, last.get(span.step, 0.0))
        windows: list[Window] = []
        before = 0.0
        for step in sorted(first):
            end = max(last[step], before)
            windows.append(Window(min(max(first[step], before), end), end))
            before = end
        return windows

    def typical_step(self) -> Window | None:
        """The window of the step that took the (lower) median time; None without steps."""
        windows = sorted(self.steps(), key=lambda w: w.seconds)
        return windows[(len(windows) - 1) // 2] if windows else None

    def whole(self) -> Window:
        """From the start of the first span to the end of the last."""
        if not self.spans:
            return Window(0.0, 0.0)
        return Window(min(s.start for s in self.spans), max(s.end for s in self.spans))

    def makespan(self) -> float:
        """Seconds from the first start to the last end."""
        return self.whole().seconds

    def busy_seconds(self, window: Window | None = None, kind: Kind = Kind.COMPUTE) -> list[float]:
        """Seconds in which each GPU computes (or copies); two streams at once count once."""
        stretches = self._stretches(kind, window)
        return [sum(end - start for start, end in stretches[gpu]) for gpu in self.gpus]

    def busy_share(self, window: Window | None = None) -> list[float]:
        """Computing time by window length, 0 to 1."""
        window = window or self.whole()
        return [_share(busy, window.seconds) for busy in self.busy_seconds(window)]

    def bubble_share(self, window: Window | None = None) -> float:
        """The share of time, 0 to 1, that GPUs stand idle; GPUs that never compute do not count.

        For a pipeline of p equal stages and m micro-batches this is (p - 1) / (m + p - 1).
        """
        shares = [share for share in self.busy_share(window) if share > 0]
        return 1.0 - sum(shares) / len(shares) if shares else 0.0

    def seconds_at_once(
        self, window: Window | None = None, phases: Collection[Phase] = tuple(Phase)
    ) -> list[float]:
        """Entry n: the seconds in which exactly n GPUs compute, counting ops of these phases."""
        window = window or self.whole()
        total = [0.0] * (len(self.gpus) + 1)
        edges: list[tuple[float, int]] = []
        for stretches in self._stretches(Kind.COMPUTE, window, phases).values():
            for start, end in stretches:
                edges += [(start, 1), (end, -1)]
        before, working = window.start, 0
        for time, change in sorted(edges):  # at one time, ends come before starts
            total[working] += time - before
            before, working = time, working + change
        total[working] += window.end - before
        return total

    def most_at_once(
        self, window: Window | None = None, phases: Collection[Phase] = tuple(Phase)
    ) -> int:
        """How many GPUs compute at the same time, at most.

        Ask for MODEL phases alone to see what a way of splitting a model does: optimizers start
        on each GPU as soon as its own backward is done, whatever the split.
        """
        seconds = self.seconds_at_once(window, phases)
        return max((n for n, time in enumerate(seconds) if time > 0), default=0)

    def at_work(self, window: Window, parts: int) -> list[float]:
        """How many GPUs compute, as a mean over each of so many equal parts of the window."""
        length = window.seconds / parts
        at_work = [0.0] * parts
        for stretches in self._stretches(Kind.COMPUTE, window).values():
            for start, end in stretches:
                first = min(int((start - window.start) / length), parts - 1)
                last = min(int((end - window.start) / length), parts - 1)
                for part in range(first, last + 1):
                    begin = window.start + part * length
                    inside = min(end, begin + length) - max(start, begin)
                    at_work[part] += max(inside, 0.0) / length
        return at_work

    def _stretches(
        self, kind: Kind, window: Window | None, phases: Collection[Phase] = tuple(Phase)
    ) -> dict[Gpu, list[tuple[float, float]]]:
        """When each GPU is at work inside the window (the whole run, unless told), in order."""
        window = window or self.whole()
        parts: dict[Gpu, list[tuple[float, float]]] = {gpu: [] for gpu in self.gpus}
        for span in self.spans:
            start, end = max(span.start, window.start), min(span.end, window.end)
            if span.kind is kind and span.phase in phases and start < end:
                parts[span.where].append((start, end))
        return {gpu: _union(found) for gpu, found in parts.items()}

    # ------------------------------------------------------------------ JSON

    def to_json(self) -> dict[str, Any]:
        return {
            "gpus": [[*gpu] for gpu in self.gpus],
            "spans": [[*span] for span in self.spans],
            "spec": self.spec,
            "truncated": self.truncated,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Timeline:
        """Rebuild a timeline; ValueError where the data has another shape. It is not trusted."""
        try:
            timeline = cls(
                gpus=[Gpu(*(_count(n) for n in row)) for row in data["gpus"]],
                spans=[_span(row) for row in data["spans"]],
                spec=_text(data["spec"]),
                truncated=bool(data["truncated"]),
            )
        except (KeyError, TypeError, AttributeError, OverflowError) as error:
            raise ValueError(f"not a timeline: {error!r}") from error
        strangers = {span.where for span in timeline.spans} - set(timeline.gpus)
        if strangers:
            raise ValueError(f"spans of a GPU that is not listed: {min(strangers)}")
        return timeline


def merge(timelines: Sequence[Timeline]) -> Timeline:
    """One timeline of several processes, whose position is their rank; GPUs that idle are left out.

    All clocks are taken to start together. Equal steps of all ranks become one window.
    """
    gpus: list[Gpu] = []
    spans: list[Span] = []
    for rank, timeline in enumerate(timelines):
        used = {span.gpu for span in timeline.spans}
        gpus += [Gpu(rank, gpu) for gpu in sorted(used)]
        spans += [span._replace(rank=rank) for span in timeline.spans]
    return Timeline(
        gpus=gpus,
        spans=spans,
        spec=next((timeline.spec for timeline in timelines if timeline.spec), ""),
        truncated=any(timeline.truncated for timeline in timelines),
    )


def _union(parts: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The same stretches of time, without overlaps, in order."""
    joined: list[tuple[float, float]] = []
    for start, end in sorted(parts):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def _share(part: float, whole: float) -> float:
    return part / whole if whole > 0 else 0.0


# ---------------------------------------------------------------------- reading what is not trusted


def _span(row: Any) -> Span:
    gpu, stream, start, end, name, kind, phase, layer, forward, step, peer, size, rank = row
    begin, finish = _seconds(start), _seconds(end)
    if begin > finish:
        raise ValueError(f"expected a span that ends after it starts, found {begin} to {finish}")
    return Span(
        gpu=_count(gpu),
        stream=_count(stream),
        start=begin,
        end=finish,
        name=_text(name),
        kind=Kind(kind),
        phase=Phase(phase),
        layer=_maybe(_text, layer),
        forward=_maybe(_count, forward),
        step=_maybe(_count, step),
        peer=None if peer is None else HOST if peer == HOST else _count(peer),
        bytes=_count(size),
        rank=_count(rank),
    )


def _count(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"expected a whole number from 0, found {value!r}")
    return value


def _seconds(value: Any) -> float:
    if type(value) not in (int, float) or not 0 <= float(value) < math.inf:
        raise ValueError(f"expected seconds from 0, found {value!r}")
    return float(value)


def _text(value: Any) -> str:
    if type(value) is not str:
        raise ValueError(f"expected text, found {value!r}")
    return value


def _maybe(read: Callable[[Any], _T], value: Any) -> _T | None:
    return None if value is None else read(value)
