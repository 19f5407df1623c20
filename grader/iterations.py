"""Rounds of training in what a program did: forward and backward steps, and when ranks synchronise.

Standard library only, as `grader.program`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from grader.program import Event, Kind, Program

#: Collectives by which gradients of other ranks arrive. A broadcast hands out parameters.
_COMBINING = ("allreduce", "reduce", "allgather", "gather", "alltoall")
_SHARE = 0.4  # of the gradients' bytes, at least: they may travel in half precision
_WORK = (Kind.CALL, Kind.BACKWARD, Kind.STEP)


class Phase(NamedTuple):
    """Collectives that combine what ranks hold, with no forward and no backward pass between them.

    `bytes` are those of all, `line` is that of the first; `forwards` and `backwards` count the
    passes of the same iteration that came before. A backward pass in which it happens has not.
    """

    bytes: int
    line: str | None
    forwards: int
    backwards: int


class Iteration(NamedTuple):
    """What one process did up to a step of its optimizer, or of several in a row.

    A forward step is a call of the first model that is called; `rows` are those of its input, `fed`
    is the sum of all that it was called with, None where that is not known. `placement` is the
    device of each layer in the first such step. `gradient` is the bytes of all gradients, None
    where no optimizer steps.
    """

    forwards: int
    backwards: int
    rows: tuple[int, ...]
    fed: float | None
    placement: tuple[int, ...]
    phases: tuple[Phase, ...]
    gradient: int | None
    events: tuple[Event, ...]

    def syncs(self) -> list[Phase]:
        """The phases in which gradients of all ranks are put together."""
        enough = _SHARE * (self.gradient or 1)
        return [phase for phase in self.phases if phase.forwards and phase.bytes >= enough]

    def is_last(self, phase: Phase) -> bool:
        """Whether no micro-batch is left when it begins, but for the pass that it is part of."""
        backwards = [event for event in self.events if event.kind is Kind.BACKWARD]
        left = backwards[phase.backwards :]
        part_of_last = len(left) == 1 and left[0].line == phase.line
        return phase.forwards == self.forwards and (not left or part_of_last)

    def of(self, kind: Kind) -> list[Event]:
        """What was done in it of this kind, in order."""
        return [event for event in self.events if event.kind is kind]


def iterations(program: Program) -> list[Iteration]:
    """The iterations of a program, those that were cut off at the end left out.

    What has no optimizer is one iteration.
    """
    placed = _placements(program)
    known = max(placed, default=-1) if program.trace.truncated else len(program.calls)
    found: list[Iteration] = []
    for events in _rounds(program.events):
        calls = [event.calls for event in events if event.kind is Kind.CALL]
        if not any(n in placed for n in calls):
            continue
        if found and max(calls) >= known:  # a layer of it may be missing
            break
        found.append(_iteration(program, events, placed))
    return found


def _placements(program: Program) -> dict[int, tuple[int, ...]]:
    """The devices of the layers that ran in each call, for calls in which one did."""
    ways = program.trace.ways()
    found = {}
    for n, call in enumerate(program.calls):
        way = None if call.forward is None or call.replica else ways.get(call.forward)
        if way is not None and way.placement:
            found[n] = way.placement
    return found


def _rounds(events: Sequence[Event]) -> Iterator[Sequence[Event]]:
    """Events up to each last of several steps; all where there is no step."""
    work = [n for n, event in enumerate(events) if event.kind in _WORK]
    steps = [n for n in work if events[n].kind is Kind.STEP]
    last = {a for a, b in pairwise(work) if events[b].kind is not Kind.STEP} | set(work[-1:])
    ends = [n + 1 for n in steps if n in last] or [len(events)]
    yield from (events[start:end] for start, end in pairwise([0, *ends]))


def _iteration(
    program: Program, events: Sequence[Event], placed: dict[int, tuple[int, ...]]
) -> Iteration:
    layered = [e for e in events if e.kind is Kind.CALL and e.calls in placed]
    model = program.calls[layered[0].calls].model
    firsts = [e for e in layered if program.calls[e.calls].model == model]
    end = firsts[1].calls if len(firsts) > 1 else len(program.calls)
    gradients = [event.bytes for event in events if event.kind is Kind.GRADIENT]
    return Iteration(
        forwards=len(firsts),
        backwards=sum(event.kind is Kind.BACKWARD for event in events),
        rows=tuple(_rows(program, event) for event in firsts),
        fed=_sum([event.value for event in firsts]),
        placement=tuple(place for e in layered if e.calls < end for place in placed[e.calls]),
        phases=tuple(_phases(events, {id(event) for event in firsts})),
        gradient=sum(gradients) if gradients else None,
        events=tuple(events),
    )


def _rows(program: Program, event: Event) -> int:
    inputs = program.calls[event.calls].inputs
    return inputs[0].shape[0] if inputs and inputs[0].shape else 0


def _sum(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None


def _phases(events: Sequence[Event], firsts: set[int]) -> Iterator[Phase]:
    """Combining collectives in groups that forward and backward passes part."""
    forwards = backwards = 0
    group: list[Event] = []
    for event in events:
        if event.kind is Kind.COLLECTIVE and event.text.startswith(_COMBINING):
            group.append(event)
        elif event.kind in (Kind.CALL, Kind.BACKWARD):
            if group:
                yield _phase(group, forwards, backwards)
                group = []
            forwards += id(event) in firsts
            backwards += event.kind is Kind.BACKWARD
    if group:
        yield _phase(group, forwards, backwards)


def _phase(group: Sequence[Event], forwards: int, backwards: int) -> Phase:
    return Phase(sum(event.bytes for event in group), group[0].line, forwards, backwards)
