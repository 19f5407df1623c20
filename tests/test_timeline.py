"""Questions to a timeline, merging ranks, and what is no timeline."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.timeline import HOST, MODEL, Gpu, Kind, Phase, Span, Timeline, Window, merge

F, B, P = Phase.FORWARD, Phase.BACKWARD, Phase.OPTIMIZER
ZERO, ONE, TWO = Gpu(0, 0), Gpu(0, 1), Gpu(0, 2)


def work(gpu, start, end, phase=F, step=0, stream=0):
    return Span(gpu, stream, start, end, "aten::mm", Kind.COMPUTE, phase, "layers.0", 0, step)


def copy(gpu, peer, start, end, step=0):
    return Span(gpu, 0, start, end, "copy", Kind.COPY, F, None, None, step, peer, 64)


#: Two steps on three GPUs, of which the last does nothing; before them a model is loaded.
TIMELINE = Timeline(
    gpus=[ZERO, ONE, TWO],
    spans=[
        copy(0, HOST, 0.0, 5.0, step=None),
        work(0, 10, 12), copy(0, 1, 12, 13), work(1, 13, 15),
        work(1, 15, 19, B), work(0, 20, 24, B),
        work(1, 19, 21, P), work(0, 24, 26, P),
        work(0, 26, 28, step=1), work(0, 27, 29, step=1, stream=4), work(1, 25, 28, step=1),
    ],
    spec="A100",
)  # fmt: skip
FIRST = Window(10, 26)


def test_steps_do_not_overlap():
    assert TIMELINE.steps() == [FIRST, Window(26, 29)]
    assert TIMELINE.typical_step() == Window(26, 29)
    assert (TIMELINE.whole(), TIMELINE.makespan()) == (Window(0, 29), 29)


def test_busy_time_is_computing_time():
    assert TIMELINE.busy_seconds(FIRST) == [8, 9, 0]
    assert TIMELINE.busy_seconds(FIRST, Kind.COPY) == [1, 0, 0]
    assert TIMELINE.busy_seconds(Window(26, 29)) == [3, 2, 0]  # two streams at once count once
    assert TIMELINE.busy_share(FIRST) == [8 / 16, 9 / 16, 0]
    assert TIMELINE.busy_seconds() == [11, 11, 0]


def test_the_bubble_is_of_the_gpus_that_work():
    assert TIMELINE.bubble_share(FIRST) == 1 - (8 + 9) / 32


def test_how_many_work_at_once():
    assert TIMELINE.seconds_at_once(FIRST) == [1, 13, 2, 0]
    assert TIMELINE.most_at_once(FIRST) == 2
    assert TIMELINE.most_at_once(FIRST, MODEL) == 1  # the optimizer of GPU 1 was the second
    assert TIMELINE.at_work(FIRST, 4) == [3 / 4, 1, 5 / 4, 5 / 4]


def test_a_timeline_of_nothing():
    empty = Timeline([ZERO])
    assert (empty.steps(), empty.typical_step()) == ([], None)
    assert (empty.makespan(), empty.busy_share(), empty.bubble_share()) == (0, [0], 0)
    assert (empty.seconds_at_once(), empty.most_at_once()) == ([0, 0], 0)


def test_ranks_are_told_apart():
    one = Timeline([ZERO, ONE], [work(0, 1, 3), work(0, 3, 4, step=1)], "H100")
    two = Timeline([ZERO, ONE], [work(1, 2, 5), work(1, 5, 7, step=1)], truncated=True)
    both = merge([one, two])
    assert both.gpus == [Gpu(0, 0), Gpu(1, 1)]
    assert [span.rank for span in both.spans] == [0, 0, 1, 1]
    assert both.steps() == [Window(1, 5), Window(5, 7)]
    assert both.busy_seconds() == [3, 5]
    assert both.seconds_at_once() == [0, 4, 2]
    assert (both.spec, both.truncated) == ("H100", True)
    assert Timeline.from_json(json.loads(json.dumps(both.to_json()))) == both
    assert merge([]) == Timeline([])


def test_a_timeline_comes_back_from_json():
    assert Timeline.from_json(json.loads(json.dumps(TIMELINE.to_json()))) == TIMELINE


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 1), st.integers(0, 40), st.integers(1, 9)),
        max_size=25,
    )
)
def test_sums_are_those_of_a_naive_count(rows):
    spans = [work(gpu, at, at + length, stream=stream) for gpu, stream, at, length in rows]
    timeline = Timeline([ZERO, ONE, TWO], spans)
    busy = [
        {t for s in spans if s.gpu == gpu for t in range(int(s.start), int(s.end))}
        for gpu in range(3)
    ]
    assert timeline.busy_seconds() == [len(times) for times in busy]
    window = Window(0, 50)
    at_once = [sum(t in times for times in busy) for t in range(50)]
    assert timeline.seconds_at_once(window) == [at_once.count(n) for n in range(4)]
    assert timeline.most_at_once(window) == max(at_once)
    assert timeline.at_work(window, 50) == pytest.approx(at_once)


def spoiled(position, value):
    def spoil(data):
        data["spans"][0][position] = value

    return spoil


@pytest.mark.parametrize(
    "spoil",
    [
        lambda d: d.pop("spans"),
        lambda d: d.update(gpus=3),
        lambda d: d.update(gpus=[[0]]),
        lambda d: d.update(gpus=[["0", "1"]]),
        lambda d: d.update(gpus=[[0, 0]]),  # spans of GPU 1
        lambda d: d.update(spans=[[1]]),
        lambda d: d.update(spans=[None]),
        lambda d: d.update(spec=None),
        spoiled(0, -1),
        spoiled(0, True),
        spoiled(1, "0"),
        spoiled(2, float("nan")),
        spoiled(2, float("inf")),
        spoiled(2, -1.0),
        spoiled(2, 10**400),
        spoiled(2, "0"),
        spoiled(3, -0.5),
        spoiled(2, 6.0),  # ends before it starts
        spoiled(4, None),
        spoiled(5, "thinking"),
        spoiled(6, "sideways"),
        spoiled(7, 7),
        spoiled(8, 0.5),
        spoiled(9, -1),
        spoiled(10, -2),
        spoiled(11, 1e3),
        spoiled(12, None),
    ],
)
def test_what_is_no_timeline_is_refused(spoil):
    data = json.loads(json.dumps(TIMELINE.to_json()))
    spoil(data)
    with pytest.raises(ValueError, match=r".+"):
        Timeline.from_json(data)


@pytest.mark.parametrize("data", [None, [], "timeline", {}])
def test_what_is_no_object_is_refused(data):
    with pytest.raises(ValueError, match="not a timeline"):
        Timeline.from_json(data)
