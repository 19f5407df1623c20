"""Where the work of a model goes from one device to another: what model parallelism is.

Seen in what a program did, whether one class holds all layers or the script calls them one by one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from grader.program import Call, Kind, Program
from grader.timeline import Phase as Span
from grader.timeline import Timeline
from grader.trace import HOST, Phase, Transfer

_SPLITTING = "DataParallel"  # calls copies of a model, not a part of one


class Crossing(NamedTuple):
    """Layers that work on one device, and then layers on others, on what those made.

    `first` and `last` are the places of its calls in `Program.calls`: one of a model that holds
    all layers, or two of parts of it. `placement` is the device of each layer in order (where a
    call fails, of its weights), `moves` are the copies from GPU to GPU from first to last.
    """

    first: int
    last: int
    placement: tuple[int, ...]
    moves: tuple[Transfer, ...]


def crossings(program: Program) -> list[Crossing]:
    """All crossings of a program, in order."""
    copies = [t for t in program.trace.transfers if t.source != HOST]
    inside: dict[int | None, list[Transfer]] = {}
    for copy in copies:
        if copy.phase is Phase.FORWARD and copy.target != HOST:
            inside.setdefault(copy.forward, []).append(copy)
    begins = {e.calls: e.moves + e.fetches for e in program.of(Kind.CALL)}  # copies before a call
    found: list[Crossing] = []
    last, here = 0, tuple[int, ...]()
    for n, there in _placements(program):
        own = inside.get(program.calls[n].forward, [])
        between = copies[begins.get(last, 0) : begins.get(n, 0)]
        between = [t for t in between if t.phase is Phase.OTHER]
        if len(set(there)) > 1:
            found.append(Crossing(n, n, there, tuple(own)))
        elif len(set(here)) == 1 and here[0] != there[0]:
            if _flows(program.calls[last], program.calls[n], between):
                moves = [t for t in between if t.target != HOST]
                found.append(Crossing(last, n, here + there, (*moves, *own)))
        last, here = n, there
    return found


def timeline_of(program: Program, crossing: Crossing) -> Timeline | None:
    """When the GPUs worked in one crossing, without all else; None where it is not known."""
    if program.timeline is None:
        return None
    numbers = {program.calls[n].forward for n in (crossing.first, crossing.last)}
    spans = [s for s in program.timeline.spans if s.forward in numbers and s.phase is Span.FORWARD]
    return replace(program.timeline, spans=spans)


def _placements(program: Program) -> Iterator[tuple[int, tuple[int, ...]]]:
    """The calls in which layers ran, or were to run, and the device of each."""
    ways = program.trace.ways()
    for n, call in enumerate(program.calls):
        way = None if call.forward is None else ways.get(call.forward)
        places = way.placement if way and call.outputs else call.weights
        if places and not call.replica and call.name != _SPLITTING:
            yield n, places


def _flows(first: Call, second: Call, between: Sequence[Transfer]) -> bool:
    """Whether the second call is given what the first made: where that is, or copied from there."""
    made = {data.shape: data.device for data in first.outputs}
    given = {data.shape: data.device for data in second.inputs if data.shape in made}
    return any(
        device == made[shape]
        or any(t.source == made[shape] and t.bytes >= math.prod(shape) for t in between)
        for shape, device in given.items()
    )
