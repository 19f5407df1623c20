"""Questions to a trace, and what is no trace."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.trace import HOST, Edge, Layer, Op, Phase, Trace, Transfer, Unlisted

F, B, O = Phase.FORWARD, Phase.BACKWARD, Phase.OTHER  # noqa: E741


def op(gpu, forward=0, name="aten::addmm", phase=F, layer=None):
    return Op(name, gpu, layer, phase, forward)


def move(source, target, forward=0, phase=F, size=8):
    return Transfer(source, target, size, "hw3.py:20", phase, forward)


#: Two forward passes on three GPUs, of which the last holds nothing; then a backward pass.
TRACE = Trace(
    devices=3,
    ops=[
        op(0, None, "aten::randn", O), op(0, 0, layer="a"), op(0, 0, "aten::relu"),
        op(1, 0, layer="b")._replace(line="hw3.py:21"), op(1, None, phase=B), op(0, 1), op(HOST, 1),
    ],
    transfers=[
        move(HOST, 0, None, O), move(0, 1), move(1, 0, None, B), move(0, HOST, 1), move(HOST, 2, 1),
    ],
    to_calls=Counter({0: 2, 1: 3}),
    peak_memory=[10, 20, 0],
    losses=[1.5],
    unlisted=[Unlisted(0, 1, F, 4, 32)],
)  # fmt: skip


def test_questions_about_the_first_forward_pass():
    assert TRACE.layers() == [Layer("a", 0), Layer("b", 1)]
    assert TRACE.placement() == [0, 1]
    assert TRACE.layers_per_gpu() == [1, 1, 0]
    assert (TRACE.gpu_to_gpu(), TRACE.host_to_gpu(), TRACE.gpu_to_host()) == (1, 0, 0)
    assert TRACE.calls_of_to() == 2


def test_questions_about_another_one():
    assert TRACE.forwards() == [0, 1]
    assert TRACE.placement(1) == [0, HOST]
    assert TRACE.layers_per_gpu(1) == [1, 0, 0]
    assert (TRACE.gpu_to_gpu(1), TRACE.host_to_gpu(1), TRACE.gpu_to_host(1)) == (0, 1, 1)
    assert TRACE.calls_of_to(1) == 3
    assert TRACE.placement(7) == []


def test_lines_of_one_forward_pass():
    assert TRACE.lines_of_layers() == {"hw3.py:21": 1}
    assert TRACE.lines_of_copies() == {"hw3.py:20": 1}
    assert TRACE.lines_of_layers(1) == TRACE.lines_of_copies(1) == {}


def test_lines_may_be_called_something_else():
    told = TRACE.with_lines({"hw3.py:21": "there"}.get)
    assert told.lines_of_layers() == {"there": 1}
    assert told.lines_of_copies() == {}
    assert (told.ways(), told.edges()) == (TRACE.ways(), TRACE.edges())


def test_edges_of_a_phase_and_of_all():
    assert TRACE.edges(B) == [Edge(1, 0, 1, 8)]
    assert TRACE.edges(F) == [Edge(-1, 2, 1, 8), Edge(0, -1, 1, 8), Edge(0, 1, 5, 40)]
    assert sum(edge.count for edge in TRACE.edges()) == 9


def test_a_trace_of_nothing():
    empty = Trace(2)
    assert empty.layers_per_gpu() == [0, 0]
    assert (empty.placement(), empty.gpu_to_gpu(), empty.calls_of_to()) == ([], 0, 0)
    assert (empty.forwards(), empty.edges()) == ([], [])


def test_a_trace_comes_back_from_json():
    assert Trace.from_json(json.loads(json.dumps(TRACE.to_json()))) == TRACE


@given(st.lists(st.integers(-1, 4), max_size=30))
def test_counts_are_those_of_a_naive_count(placement):
    ops, transfers, here = [], [], 0
    for gpu in placement:
        if gpu != here:
            transfers.append(move(here, gpu))
            here = gpu
        ops.append(op(gpu))
    trace = Trace(5, ops, transfers)
    pairs = list(zip([0, *placement], placement, strict=False))
    both = [(a, b) for a, b in pairs if a != b]
    if placement:
        assert trace.gpu_to_gpu() == sum(HOST not in pair for pair in both)
        assert trace.host_to_gpu() == sum(a == HOST for a, _ in both)
        assert trace.gpu_to_host() == sum(b == HOST for _, b in both)
    assert trace.layers_per_gpu() == [placement.count(gpu) for gpu in range(5)]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda d: d.pop("ops"),
        lambda d: d.update(devices="3"),
        lambda d: d.update(devices=True),
        lambda d: d.update(ops=5),
        lambda d: d.update(ops=[[1]]),
        lambda d: d.update(ops=[["aten::mm", 0, None, "sideways", 0]]),
        lambda d: d.update(ops=[["aten::mm", 0.5, None, "forward", 0]]),
        lambda d: d.update(ops=[["aten::mm", 0, 7, "forward", 0]]),
        lambda d: d.update(ops=[["aten::mm", 0, None, "forward", 0, 20]]),
        lambda d: d.update(ops=[["aten::mm", 0, None, "forward", 0, "a:1", "b:2"]]),
        lambda d: d.update(transfers=[[0, 1, "8", None, "forward", 0]]),
        lambda d: d.update(transfers=[None]),
        lambda d: d.update(to_calls=[1]),
        lambda d: d.update(to_calls={"x": 1}),
        lambda d: d.update(peak_memory=[None]),
        lambda d: d.update(losses=["much"]),
        lambda d: d.update(losses=[10**400]),
        lambda d: d.update(unlisted=[[0, 1]]),
    ],
)
def test_what_is_no_trace_is_refused(spoil):
    data = json.loads(json.dumps(TRACE.to_json()))
    spoil(data)
    with pytest.raises(ValueError, match=r".+"):
        Trace.from_json(data)


@pytest.mark.parametrize("data", [None, [], "trace", {}])
def test_what_is_no_object_is_refused(data):
    with pytest.raises(ValueError, match="not a trace"):
        Trace.from_json(data)


def test_the_beginning_of_a_trace_counts_what_it_does_not_list():
    short = TRACE.beginning(2)
    assert (len(short.ops), len(short.transfers), short.truncated) == (2, 2, True)
    assert short.edges() == TRACE.edges()
    assert short.edges(B) == TRACE.edges(B)
    assert TRACE.beginning(7) == TRACE
