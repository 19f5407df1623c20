"""Ranks together: who disagrees with whom, who hangs where, and JSON that is not trusted."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.program import Event, Kind, Program
from grader.ranks import Ranks, place
from grader.trace import Trace

REDUCE, BARRIER, BROADCAST = "allreduce", "barrier", "broadcast"
LEFT = "RuntimeError: [pair.cc:553] Connection closed by peer [127.0.0.1]:1 (s.py, line 9)"


def call(name, line=5, size=16, group=None):
    return Event(Kind.COLLECTIVE, name, f"s.py:{line}", None, 0, 0, 0, None, size, group)


def ranks(*events, problems=(), ended=None, hung=False):
    problems = dict(problems)
    processes = [
        Program("s.py", 2, Trace(2), events=own, problem=problems.get(rank), rank=rank)
        for rank, own in enumerate(events)
    ]
    return Ranks("s.py", 2, processes, ended or {}, hung)


def test_ranks_that_agree():
    both = ranks([call(REDUCE), call(BARRIER)], [call(REDUCE, line=7), call(BARRIER)])
    assert both.disagreement() is None
    assert both.diagnosis() is None


def test_another_call():
    told = ranks([call(REDUCE)], [call(BROADCAST, line=8)]).disagreement()
    assert told == (
        "the ranks do not make the same calls: rank 0 calls all_reduce at s.py, line 5, "
        "rank 1 calls broadcast at s.py, line 8"
    )


def test_another_size():
    told = ranks([call(REDUCE)], [call(REDUCE, size=20)]).disagreement()
    assert "rank 0 calls all_reduce of 16 bytes at s.py, line 5" in told
    assert "rank 1 calls all_reduce of 20 bytes" in told


def test_sizes_that_may_differ():
    assert ranks([call("gather")], [call("gather", size=0)]).disagreement() is None


def test_a_call_that_one_rank_never_makes():
    left = ranks([call(BARRIER)], [], problems={0: LEFT})
    assert left.diagnosis() == (
        "the ranks do not make the same calls: rank 0 calls barrier at s.py, line 5, rank 1 none"
    )


def test_sends_and_receives_are_no_collectives():
    assert ranks([call("send")], [call("recv")]).disagreement() is None


def test_groups_are_compared_by_themselves():
    pairs = {"group": (0, 2)}, {"group": (1, 3)}
    four = [[call(REDUCE, **pairs[n % 2])] for n in range(4)]
    assert ranks(*four).disagreement() is None
    four[2] = [call(BARRIER, **pairs[0])]
    told = ranks(*four).disagreement()
    assert "rank 0 calls all_reduce" in told
    assert "rank 2 calls barrier" in told
    assert "rank 1" not in told


def test_of_who_was_left_alone_nothing_is_told():
    failed = ranks([call(BARRIER)], [], problems={0: LEFT, 1: "ValueError: no (s.py, line 3)"})
    assert failed.diagnosis() == "rank 1: ValueError: no (s.py, line 3)"


def test_who_was_left_alone_by_nobody_known_is_told():
    assert ranks([], [], problems={0: LEFT}).diagnosis() == f"rank 0: {LEFT}"


def test_who_ended_early_is_told_and_not_who_waits_for_it():
    ended = {0: "was still at s.py, line 5", 1: "was killed by SIGKILL, after s.py, line 2"}
    one = ranks([call(BARRIER)], [], ended=ended)
    assert one.diagnosis() == "rank 1 was killed by SIGKILL, after s.py, line 2"


def test_who_hangs_is_told_with_the_line():
    ended = {0: "was still at s.py, line 5: dist.barrier()", 1: "was still at s.py, line 6: loop()"}
    told = ranks([call(BARRIER)], [], ended=ended, hung=True).diagnosis()
    assert told.startswith("the ranks do not make the same calls: rank 0 calls barrier")
    assert told.endswith(
        "rank 0 was still at s.py, line 5: dist.barrier(); rank 1 was still at s.py, line 6: loop()"
    )


def test_lines_in_words():
    assert place("a:b/s.py:7") == "a:b/s.py, line 7"
    assert place(None) == "no line of it"


# ------------------------------------------------------------------ JSON

EVENTS = st.lists(
    st.builds(call, st.sampled_from([REDUCE, BARRIER]), st.integers(1, 9)), max_size=3
)


@settings(deadline=None, derandomize=True, database=None)
@given(EVENTS, EVENTS, st.booleans(), st.dictionaries(st.integers(0, 1), st.text("abc")))
def test_json_both_ways(first, second, hung, ended):
    both = ranks(first, second, hung=hung, ended=ended)
    read = Ranks.from_json(json.loads(json.dumps(both.to_json())))
    assert read == both
    json.dumps(read.brief(), allow_nan=False)


@pytest.mark.parametrize(
    "change",
    [
        {"processes": [1]},
        {"processes": [Program("s.py", 3, Trace(3)).to_json()]},
        {"processes": [Program("s.py", 2, Trace(2)).to_json()] * 65},
        {"processes": None},
        {"ended": {"2": "was still there"}},
        {"ended": {"one": "was still there"}},
        {"ended": {"0": ["was still there"]}},
        {"gpus": 10**9},
        {"file": 7},
    ],
)
def test_these_are_refused(change):
    with pytest.raises(ValueError, match=r"."):
        Ranks.from_json(ranks([], []).to_json() | change)


def test_what_is_no_object_is_refused():
    for told in ([], None, "ranks", 3):
        with pytest.raises(ValueError, match="not what ranks did"):
            Ranks.from_json(told)
