"""What a program did: questions about it, and JSON both ways; from elsewhere it is not trusted."""

from __future__ import annotations

import copy
import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.program import ON_GPU, Call, Data, Event, Joined, Kind, Program, words
from grader.trace import HOST, Trace, Transfer

TEXT = st.text(st.characters(codec="utf-8"), max_size=8).map(words)
SMALL = st.integers(0, 9)
DATA = st.builds(Data, st.tuples(SMALL, SMALL), st.integers(HOST, 3))
MAYBE = st.none() | SMALL
CALLS = st.builds(
    Call,
    TEXT,
    st.none() | TEXT,
    st.tuples(DATA),
    st.tuples(DATA, DATA),
    MAYBE,
    st.booleans(),
    SMALL,
    st.just(()) | st.tuples(SMALL, SMALL),
)
EVENTS = st.builds(
    Event,
    st.sampled_from(Kind),
    TEXT,
    st.none() | TEXT,
    MAYBE,
    *[SMALL] * 3,
    st.none() | st.floats(allow_nan=False),
    SMALL,
    st.none() | st.tuples(SMALL, SMALL),
)
JOINED = st.builds(Joined, st.tuples(SMALL, SMALL), DATA, st.none() | st.booleans())
PROGRAMS = st.builds(
    Program,
    TEXT,
    st.just(4),
    st.just(Trace(4)),
    st.lists(CALLS, max_size=3),
    st.lists(EVENTS, max_size=3),
    st.lists(JOINED, max_size=2),
    st.none() | TEXT,
    st.none() | TEXT,
    MAYBE,
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


def event(kind, *, calls=0, moves=0, fetches=0, text="", line="a.py:1", **more):
    return Event(kind, text, line, None, calls, moves, fetches, **more)


# ------------------------------------------------------------------ JSON


@settings(deadline=None, derandomize=True, database=None)
@given(PROGRAMS)
def test_json_both_ways(program):
    assert Program.from_json(json.loads(json.dumps(program.to_json()))) == program


@settings(deadline=None, derandomize=True, database=None)
@given(PROGRAMS, st.data())
def test_what_is_not_a_program_is_refused_by_a_value_error_only(program, data):
    told = copy.deepcopy(program.to_json())
    place, key = told, data.draw(st.sampled_from(sorted(told)))
    while isinstance(place[key], (dict, list)) and place[key] and data.draw(st.booleans()):
        place = place[key]
        keys = sorted(place) if isinstance(place, dict) else range(len(place))
        key = data.draw(st.sampled_from(list(keys)))
    place[key] = data.draw(ANYTHING)
    try:
        read = Program.from_json(told)
    except ValueError:
        return
    assert isinstance(read, Program)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("gpus", 10**9),
        ("gpus", True),
        ("gpus", "4"),
        ("file", None),
        ("file", ["sample.py"]),
        ("calls", [["Net", None, [], [], 0, False]]),
        ("events", [["dance", "", None, None, 0, 0, 0, None, 0, None]]),
        ("events", [["step", "", None, None, 0, 0, 0, "1.5", 0, None]]),
        ("events", [["step", "", None, None, 0, 0, 0, 10**400, 0, None]]),
        ("events", None),
        ("joined", [[0, 1]]),
        ("trace", {}),
        ("rank", 0.5),
    ],
)
def test_these_are_refused(key, value):
    told = Program("a.py", 4, Trace(4)).to_json() | {key: value}
    with pytest.raises(ValueError, match=r"."):
        Program.from_json(told)


def test_a_trace_of_other_gpus_is_refused():
    told = Program("a.py", 4, Trace(4)).to_json() | {"trace": Trace(10**9).to_json()}
    with pytest.raises(ValueError, match="4 GPUs, and a trace of 1000000000"):
        Program.from_json(told)


def test_texts_are_lines_that_may_be_shown():
    told = Program("a.py", 1, Trace(1), problem="x" * 5000).to_json()
    told["events"] = [[*event(Kind.PRINT, text="\x1b[31mred\nnext\u202e")]]
    read = Program.from_json(told)
    assert read.events[0].text == " [31mred next "
    assert len(read.problem) == 4000


# ------------------------------------------------------------------ questions


def test_splits_of_nn_data_parallel():
    def part(gpu, rows, forward=0):
        return Call("Net", None, (Data((rows, 5), gpu),), (), forward, True)

    whole = Call("DataParallel", "Net", (Data((64, 5), 0),), (), 0, False)
    again = whole._replace(forward=1)
    program = Program(
        "a.py", 2, Trace(2), [whole, part(0, 32), part(1, 32), again, part(0, 61, forward=1)]
    )
    assert program.splits() == [{0: 32, 1: 32}, {0: 61}]
    assert program.calls_of("Net") == [whole, again]


@pytest.mark.parametrize(
    ("between", "true"),
    [
        ([event(Kind.CALL), event(Kind.BACKWARD)], False),
        ([event(Kind.CALL), event(Kind.SYNCHRONIZE)], True),
        ([event(Kind.SYNCHRONIZE), event(Kind.CALL)], False),
    ],
)
def test_a_timing_is_true_where_the_host_waits_for_the_work(between, true):
    clock = event(Kind.CLOCK)
    [timing] = Program("a.py", 1, Trace(1), events=[clock, *between, clock]).timings()
    assert timing.true is true


def test_a_copy_to_the_host_waits_too():
    events = [event(Kind.CLOCK), event(Kind.CALL), event(Kind.CLOCK, calls=1, fetches=1)]
    assert Program("a.py", 1, Trace(1), events=events).timings()[0].true


def test_no_work_is_no_timing():
    events = [event(Kind.CLOCK), event(Kind.PRINT), event(Kind.CLOCK)]
    assert Program("a.py", 1, Trace(1), events=events).timings() == []


def test_what_is_kept_in_a_score_is_a_page():
    trace = Trace(
        2, transfers=[Transfer(0, 1, 4, None, "forward", 0)] * 100, losses=[math.nan] * 50
    )
    events = [event(Kind.PRINT, text=f"line {n}") for n in range(1000)]
    kept = Program("a.py", 2, trace, events=events).brief()
    assert kept["copies"] == [[0, 1, 100, 400]]
    assert len(kept["printed"]) == 12
    assert len(json.dumps(kept, allow_nan=False)) < 2000


# ------------------------------------------------------------------ times


CALL, LOSS = (Kind.CALL, "Net"), (Kind.CALL, "MSELoss")
BACKWARD, STEP, WAIT, PRINT = Kind.BACKWARD, Kind.STEP, Kind.SYNCHRONIZE, Kind.PRINT
FETCH = "fetch"  # a copy to the host: no event of its own
CLOCK, RECORD = Kind.CLOCK, (Kind.CLOCK, ON_GPU)


def did(*doings):
    events, fetches = [], 0
    for n, doing in enumerate(doings):
        if doing == FETCH:
            fetches += 1
            continue
        kind, text = doing if isinstance(doing, tuple) else (doing, "")
        events.append(Event(kind, text, f"a.py:{n}", None, 0, 0, fetches))
    return Program("a.py", 1, Trace(1), events=events)


@pytest.mark.parametrize(
    ("between", "true", "trains"),
    [
        ([Kind.CALL], False, False),
        ([Kind.CALL, Kind.SYNCHRONIZE], True, False),
        ([Kind.SYNCHRONIZE, Kind.CALL], False, False),
        ([Kind.CALL, FETCH, Kind.PRINT], True, False),
        ([Kind.CALL, Kind.BACKWARD, Kind.STEP], False, True),
        ([Kind.CALL, Kind.SYNCHRONIZE, Kind.BACKWARD], False, True),
    ],
)
def test_a_time_is_true_where_the_gpus_are_waited_for(between, true, trains):
    [timing] = did(Kind.CLOCK, *between, Kind.CLOCK).timings()
    assert (timing.true, timing.trains) == (true, trains)


def test_what_a_gpu_reads_itself_is_true():
    [timing] = did((Kind.CLOCK, ON_GPU), Kind.CALL, (Kind.CLOCK, ON_GPU)).timings()
    assert timing.true


def test_nothing_is_timed_where_nothing_works():
    assert did(Kind.CLOCK, Kind.SYNCHRONIZE, Kind.CLOCK, Kind.CALL).timings() == []


@pytest.mark.parametrize(
    ("doings", "true"),
    [
        pytest.param([CLOCK, CALL, BACKWARD, STEP, WAIT, CLOCK], [True], id="synchronize"),
        pytest.param([CLOCK, CALL, BACKWARD, STEP, FETCH, CLOCK], [True], id="item"),
        pytest.param([CLOCK, CALL, BACKWARD, STEP, CLOCK], [False], id="neither"),
        pytest.param([CLOCK, CALL, BACKWARD, STEP, CLOCK, WAIT], [False], id="too late"),
        pytest.param([CALL, BACKWARD, STEP, CLOCK, FETCH, CLOCK, CALL], [False], id="loss printed"),
        pytest.param([CLOCK, CALL, BACKWARD, WAIT, CLOCK, STEP, CLOCK], [True], id="step left out"),
        pytest.param([CALL, CLOCK, BACKWARD, CLOCK, STEP, WAIT, CLOCK], [True], id="in three"),
        pytest.param([RECORD, CALL, BACKWARD, STEP, RECORD, WAIT], [True], id="events of CUDA"),
        pytest.param([CALL, BACKWARD, STEP, CALL, BACKWARD, STEP, CLOCK], [False], id="the last"),
        pytest.param([CALL, BACKWARD, STEP], [], id="no clock"),
    ],
)
def test_a_step_is_timed_truly_where_the_gpu_was_done(doings, true):
    assert [step.true for step in did(*doings).timed_steps()] == true


def test_a_timed_step_knows_what_was_called_and_where_the_clock_is_read():
    run = did(CALL, LOSS, BACKWARD, STEP, CLOCK, LOSS, BACKWARD, STEP, WAIT, CLOCK)
    assert run.timed_steps() == [
        (("Net", "MSELoss"), "a.py:4", False),
        (("MSELoss",), "a.py:9", True),
    ]


def test_a_recorded_event_needs_no_waiting_in_timings_either():
    [timing] = did(RECORD, CALL, RECORD).timings()
    assert timing.true
