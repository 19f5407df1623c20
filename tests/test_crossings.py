"""Where the work of a model goes from GPU to GPU, in one call or from call to call."""

from __future__ import annotations

import pytest

from grader.crossings import crossings, timeline_of
from grader.program import Call, Data, Event, Kind, Program
from grader.timeline import Gpu, Span, Timeline
from grader.timeline import Kind as SpanKind
from grader.timeline import Phase as SpanPhase
from grader.trace import HOST, Op, Phase, Trace, Transfer

WIDE, OUT = (8, 20), (8, 10)


class Story:
    """A program, told call by call."""

    def __init__(self) -> None:
        self.trace = Trace(2)
        self.calls: list[Call] = []
        self.events: list[Event] = []

    def copies(self, *ways: tuple[int, int], size: int = 640, phase: Phase = Phase.OTHER) -> Story:
        inside = len(self.calls) - 1 if phase is Phase.FORWARD else None
        for source, target in ways:
            self.trace.transfers.append(Transfer(source, target, size, "a.py:1", phase, inside))
        return self

    def calls_layers(
        self, *places: int, given: Data, made: Data | None, weights: tuple[int, ...] = ()
    ) -> Story:
        number, left = len(self.calls), self.trace.transfers
        fetches = sum(t.target == HOST for t in left)
        moves = sum(HOST not in (t.source, t.target) for t in left)
        self.events.append(Event(Kind.CALL, "M", "a.py:1", None, number, moves, fetches))
        outputs = () if made is None else (made,)
        self.calls.append(Call("M", None, (given,), outputs, number, False, 0, weights or places))
        for place in places:
            self.trace.ops.append(Op("aten::addmm", place, "m", Phase.FORWARD, number))
        return self

    def seen(self, timeline: Timeline | None = None) -> Program:
        return Program("a.py", 2, self.trace, self.calls, self.events, timeline=timeline)


def test_one_model_on_two_gpus():
    story = Story().calls_layers(0, 1, given=Data(OUT, HOST), made=Data(OUT, 1))
    story.copies((HOST, 0), (0, 1), phase=Phase.FORWARD)
    story.copies((1, 0), phase=Phase.BACKWARD).copies((1, HOST), size=4)
    [found] = crossings(story.seen())
    assert (found.first, found.last, found.placement) == (0, 0, (0, 1))
    assert [(t.source, t.target) for t in found.moves] == [(0, 1)]


def test_layers_that_are_called_one_by_one_in_every_step():
    story = Story()
    for _ in range(3):  # what layer 2 makes has the shape of what layer 1 takes
        story.calls_layers(0, given=Data(OUT, 0), made=Data(WIDE, 0)).copies((0, 1))
        story.calls_layers(1, given=Data(WIDE, 1), made=Data(OUT, 1))
        story.copies((1, HOST), size=4).copies((1, 0), phase=Phase.BACKWARD)
    found = crossings(story.seen())
    assert [(c.first, c.last) for c in found] == [(0, 1), (2, 3), (4, 5)]
    assert {c.placement for c in found} == {(0, 1)}
    assert [len(c.moves) for c in found] == [1, 1, 1]


def test_over_the_host_nothing_moves_from_gpu_to_gpu():
    story = Story().calls_layers(0, given=Data(OUT, 0), made=Data(WIDE, 0))
    story.copies((0, HOST), (HOST, 1)).calls_layers(1, given=Data(WIDE, 1), made=Data(OUT, 1))
    [found] = crossings(story.seen())
    assert (found.placement, found.moves) == ((0, 1), ())


@pytest.mark.parametrize("one_by_one", [True, False])
def test_where_the_move_is_forgotten_the_weights_say_what_was_meant(one_by_one):
    story = Story()
    if one_by_one:
        story.calls_layers(0, given=Data(OUT, 0), made=Data(WIDE, 0))
        story.calls_layers(given=Data(WIDE, 0), made=None, weights=(1,))
    else:
        story.calls_layers(0, given=Data(OUT, 0), made=None, weights=(0, 1))
    [found] = crossings(story.seen())
    assert (found.placement, found.moves) == ((0, 1), ())


def test_two_models_beside_each_other_cross_nothing():
    story = Story().calls_layers(0, 0, given=Data(OUT, 0), made=Data(OUT, 0))
    story.calls_layers(1, 1, given=Data(OUT, 1), made=Data(OUT, 1))
    assert crossings(story.seen()) == []


def test_copies_that_data_parallel_makes_cross_nothing():
    program = Story().calls_layers(0, 1, given=Data(OUT, 0), made=Data(OUT, 0)).seen()
    program.calls[0] = program.calls[0]._replace(name="DataParallel", wraps="M")
    assert crossings(program) == []


def test_the_timeline_of_one_crossing():
    def span(gpu, start, forward, phase=SpanPhase.FORWARD):
        return Span(gpu, 0, start, start + 1, "op", SpanKind.COMPUTE, phase, forward=forward)

    spans = [span(0, 0, 0), span(1, 1, 0), span(0, 1, 1), span(1, 2, 1)]
    spans.append(span(0, 2, 0, SpanPhase.BACKWARD))
    timeline = Timeline([Gpu(0, 0), Gpu(0, 1)], spans)
    story = Story()
    for _ in range(2):
        story.calls_layers(0, 1, given=Data(OUT, HOST), made=Data(OUT, 1))
    program = story.seen(timeline)
    first, second = crossings(program)
    assert timeline.most_at_once() == 2
    for crossing, expected in ((first, spans[:2]), (second, spans[2:4])):
        alone = timeline_of(program, crossing)
        assert alone is not None
        assert alone.spans == expected
        assert alone.most_at_once() == 1
    assert timeline_of(story.seen(), first) is None
