"""What a program did, in order: calls of models, prints, clocks, steps, collectives.

Standard library only; written in the student's process beside the trace of its devices, read
anywhere. Devices are GPU numbers; the host is `trace.HOST`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise, takewhile
from typing import Any, NamedTuple, TypeVar

from grader.timeline import Timeline
from grader.trace import Trace, whole

_T = TypeVar("_T")

#: The reading of a clock that stands in a GPU's own queue: it need not be waited for.
ON_GPU = "on the GPU"


class Kind(StrEnum):
    CALL = "call"  # a model is called from outside any other; `text` is its class
    PRINT = "print"
    CLOCK = "clock"  # the time is read; `text` is ON_GPU where an event of CUDA is recorded
    MEMORY = "memory"  # a GPU is asked for its memory; `text` is its number
    SYNCHRONIZE = "synchronize"  # the host waits for a GPU
    BACKWARD = "backward"
    GRADIENT = "gradient"  # what an optimizer is about to step by; as of a step, `bytes` of it
    STEP = "step"  # of an optimizer; `text` is a digest of its parameters, `value` a sum of them
    COLLECTIVE = "collective"  # this rank takes part in one of `bytes`; `text` is its name


class Data(NamedTuple):
    """A tensor that went into a model or came out of it."""

    shape: tuple[int, ...]
    device: int


class Call(NamedTuple):
    """One call of a model. `name` is its class, `wraps` that of a model in nn.DataParallel or DDP.

    `forward` numbers it as in the trace. A `replica` is one of the copies that nn.DataParallel
    makes, each with its part of the batch. `model` numbers the object that is called. `weights` are
    the devices that hold its parameters, each once, in their order. Where it fails there are no
    `outputs`.
    """

    name: str
    wraps: str | None
    inputs: tuple[Data, ...]
    outputs: tuple[Data, ...]
    forward: int | None
    replica: bool
    model: int = 0
    weights: tuple[int, ...] = ()


class Joined(NamedTuple):
    """A tensor that was put together from outputs of `calls`, by their places in the list.

    `equal` says whether it is what the model makes of their inputs at once; None: not known.
    """

    calls: tuple[int, ...]
    output: Data
    equal: bool | None


class Event(NamedTuple):
    """One thing that the program did, at `line` ("file:number").

    `forward` is the forward pass it happened in. `calls`, `moves` and `fetches` count what came
    before it: calls of models, copies from GPU to GPU, copies from a GPU to the host. `value`, of
    a step, is a weighted sum of all parameters, which tells equal ones but for rounding; of a call,
    the sum of its inputs. `group` are the ranks that a collective is of; None: all of them.
    """

    kind: Kind
    text: str
    line: str | None
    forward: int | None
    calls: int
    moves: int
    fetches: int
    value: float | None = None
    bytes: int = 0
    group: tuple[int, ...] | None = None


class Timing(NamedTuple):
    """Two readings of the clock around work of a model.

    A GPU works on after a call has returned: it is `true` only where the host waits for it
    (synchronize(), or a copy to the host) before the second reading, or where a GPU reads the clock
    (torch.cuda.Event). `trains` says that there is more between them than forward passes.
    """

    start: Event
    end: Event
    true: bool
    trains: bool = False


_MOST_GPUS = 128
_LONGEST = 4000  # characters of a text that is read
#: The reading of a clock that stands in a GPU's own queue: it need not be waited for.
ON_GPU = "on the GPU"


class TimedStep(NamedTuple):
    """A backward pass of what was `called` before it, by classes; `true` as in a Timing.

    `line` is where the clock is read.
    """

    called: tuple[str, ...]
    line: str | None
    true: bool


_BRIEF = 12  # of a kind that are kept in a score
_WORK = (Kind.CALL, Kind.BACKWARD, Kind.STEP)


@dataclass(frozen=True)
class Program:
    """One process of a program that ran on `gpus` GPUs.

    `problem` is the mistake at which it ended, `code` what it gave to `sys.exit`; both None at
    a good end. `rank` is None where it joined no others. `options` are those of its command line
    ("--gpus"); it was given none.
    """

    file: str
    gpus: int
    trace: Trace
    calls: list[Call] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    joined: list[Joined] = field(default_factory=list)
    problem: str | None = None
    code: str | None = None
    rank: int | None = None
    timeline: Timeline | None = None
    options: list[str] = field(default_factory=list)

    # ------------------------------------------------------------------ questions

    @property
    def printed(self) -> str:
        """All that it printed, its lines cut at 4,000 characters and all of it at 400,000."""
        return "\n".join(event.text for event in self.of(Kind.PRINT))

    def of(self, *kinds: Kind) -> list[Event]:
        """What it did of these kinds, in order."""
        return [event for event in self.events if event.kind in kinds]

    def calls_of(self, name: str) -> list[Call]:
        """Calls of a class of models, by itself or within nn.DataParallel or DDP; no replicas."""
        return [c for c in self.calls if name in (c.name, c.wraps) and not c.replica]

    def splits(self) -> list[dict[int, int]]:
        """Rows per GPU of each call of nn.DataParallel, by GPU."""
        found = {c.forward: dict[int, int]() for c in self.calls if c.name == "DataParallel"}
        for call in self.calls:
            if call.replica and call.inputs and call.forward in found:
                (rows, *_), gpu = call.inputs[0].shape or (1,), call.inputs[0].device
                shares = found[call.forward]
                shares[gpu] = shares.get(gpu, 0) + rows
        return [dict(sorted(shares.items())) for shares in found.values()]

    def timings(self) -> list[Timing]:
        """Two readings of the clock with a model at work between them."""
        found = []
        clocks = [n for n, event in enumerate(self.events) if event.kind is Kind.CLOCK]
        for first, last in pairwise(clocks):
            work = [n for n in range(first, last) if self.events[n].kind in _WORK]
            if work:
                true = self._waits(work[-1], last)
                trains = any(self.events[n].kind is not Kind.CALL for n in work)
                found.append(Timing(self.events[first], self.events[last], true, trains))
        return found

    def timed_steps(self) -> list[TimedStep]:
        """The backward passes after which the clock is read, with what was called before each.

        What counts is the first reading after it, or the first after the optimizer's step.
        """
        found = []
        kinds = [event.kind for event in self.events]
        before = 0
        for n in (n for n, kind in enumerate(kinds) if kind is Kind.BACKWARD):
            called = [e.text for e in self.events[before:n] if e.kind is Kind.CALL]
            before = n
            rest = takewhile(lambda at: kinds[at] is not Kind.CALL, range(n, len(kinds)))
            own = [at for at in rest if kinds[at] in (Kind.CLOCK, Kind.STEP)]
            step = next((at for at in own if kinds[at] is Kind.STEP), n)
            clocks = [at for at in own if kinds[at] is Kind.CLOCK]
            firsts = clocks[:1] + [at for at in clocks if at > step][:1]
            if firsts:
                true = any(self._waits(n, clock) for clock in firsts)
                found.append(TimedStep(tuple(called), self.events[firsts[-1]].line, true))
        return found

    def _waits(self, start: int, clock: int) -> bool:
        """Whether what began at one event is done when the clock is read at the other."""
        between = self.events[start : clock + 1]
        waited = any(event.kind is Kind.SYNCHRONIZE for event in between)
        fetched = between[-1].fetches > between[0].fetches
        return waited or fetched or between[-1].text == ON_GPU

    # ------------------------------------------------------------------ JSON

    def brief(self) -> dict[str, Any]:
        """What is kept of it in a score: a page, not a book."""
        return {
            "file": self.file,
            "gpus": self.gpus,
            "problem": self.problem,
            "calls": [[*call] for call in self.calls[:_BRIEF]],
            "splits": [{str(gpu): rows for gpu, rows in s.items()} for s in self.splits()[:1]],
            "copies": [[e.source, e.target, e.count, e.bytes] for e in self.trace.edges()],
            "memory_bytes": self.trace.peak_memory,
            "losses": [x if math.isfinite(x) else None for x in self.trace.losses[:_BRIEF]],
            "collectives": self.trace.collectives(),
            "printed": self.printed.split("\n")[:_BRIEF],
        }

    def to_json(self) -> dict[str, Any]:
        return {
            "file": self.file,
            "gpus": self.gpus,
            "trace": self.trace.to_json(),
            "calls": [[*call] for call in self.calls],
            "events": [[*event] for event in self.events],
            "joined": [[*one] for one in self.joined],
            "problem": self.problem,
            "code": self.code,
            "rank": self.rank,
            "timeline": None if self.timeline is None else self.timeline.to_json(),
            "options": self.options,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Program:
        """ValueError where the data has another shape. It is not trusted."""
        try:
            timeline = data.get("timeline")
            trace, gpus = Trace.from_json(data["trace"]), whole(data["gpus"])
            if trace.devices != gpus or not 0 <= gpus <= _MOST_GPUS:
                raise ValueError(f"{gpus} GPUs, and a trace of {trace.devices}")
            return cls(
                file=words(data["file"]),
                gpus=gpus,
                trace=trace,
                calls=[_call(row) for row in data["calls"]],
                events=[event_from_json(row) for row in data["events"]],
                joined=[_joined(row) for row in data["joined"]],
                problem=_maybe(words, data["problem"]),
                code=_maybe(words, data["code"]),
                rank=_maybe(whole, data["rank"]),
                timeline=None if timeline is None else Timeline.from_json(timeline),
                options=list(map(str, data.get("options", []))),
            )
        except (KeyError, TypeError, AttributeError, OverflowError) as error:
            raise ValueError(f"not what a program did: {error!r}") from error


def event_from_json(row: Any) -> Event:
    """ValueError or TypeError where the data has another shape."""
    kind, text, line, forward, *counts, value, size, group = row
    calls, moves, fetches = map(whole, counts)
    place, number = _maybe(words, line), _maybe(whole, forward)
    of = None if group is None else tuple(map(whole, group))
    head = Kind(kind), words(text), place, number, calls, moves, fetches
    return Event(*head, _maybe(_real, value), whole(size), of)


def _call(row: Any) -> Call:
    name, wraps, inputs, outputs, forward, replica, model, weights = row
    data = tuple(map(_data, inputs)), tuple(map(_data, outputs))
    head = words(name), _maybe(words, wraps), *data
    ids = whole(model), tuple(map(whole, weights))
    return Call(*head, _maybe(whole, forward), bool(replica), *ids)


def _joined(row: Any) -> Joined:
    calls, output, equal = row
    return Joined(tuple(map(whole, calls)), _data(output), _maybe(bool, equal))


def _data(row: Any) -> Data:
    shape, device = row
    return Data(tuple(map(whole, shape)), whole(device))


def _real(value: Any) -> float:
    if type(value) not in (int, float):
        raise ValueError(f"expected a number, found {value!r}")
    return float(value)


def words(value: Any) -> str:
    """A text as it may be shown: of one line, and not too long."""
    if type(value) is not str:
        raise ValueError(f"expected text, found {value!r}")
    return "".join(c if c.isprintable() else " " for c in value[:_LONGEST])


def _maybe(read: Callable[[Any], _T], value: Any) -> _T | None:
    return None if value is None else read(value)
