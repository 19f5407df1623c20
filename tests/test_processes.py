"""What several processes did, as one run: messages that meet, ranks that are missing."""

from __future__ import annotations

import json

import pytest

from grader.processes import Place, Process, RankEdge, Run
from grader.trace import HOST, Message, Op, Phase, Trace, Transfer

F = Phase.FORWARD


def op(gpu, forward=0, name="aten::addmm", phase=F, layer=None):
    return Op(name, gpu, layer, phase, forward)


def move(source, target, forward=0, phase=F, size=8):
    return Transfer(source, target, size, "hw3.py:20", phase, forward)


def process(rank, messages=(), gpus=(), world=2):
    trace = Trace(
        devices=3,
        ops=[op(gpu) for gpu in gpus],
        transfers=[move(HOST, gpu) for gpu in gpus],
        peak_memory=[0, 0, 0],
        messages=[Message(*row, F) for row in messages],
    )
    return Process(rank, world, 100 + (rank or 0), trace)


RUN = Run.of(
    [
        process(1, [("recv", 1, 0, 8), ("allreduce", 1, None, 4), ("recv", 2, 0, 8)], [1, 2]),
        process(0, [("send", 0, 1, 8), ("allreduce", 0, None, 4), ("send", 0, 1, 8)], [0]),
        process(None, gpus=[0], world=None),
    ]
)


def test_processes_are_told_apart() -> None:
    assert [p.name for p in RUN.processes] == ["process 100", "rank 0", "rank 1"]
    assert RUN.gpus() == {0: ["process 100", "rank 0"], 1: ["rank 1"], 2: ["rank 1"]}
    assert RUN.missing() == []
    assert RUN.rank(1).collectives() == {"allreduce": 1}


def test_the_nth_message_sent_is_the_nth_received() -> None:
    assert [edge for edge in RUN.edges() if edge.source.device != HOST] == [
        RankEdge(Place(0, 0), Place(1, 1), 1, 8),
        RankEdge(Place(0, 0), Place(1, 2), 1, 8),
    ]
    assert RankEdge(Place(1, HOST), Place(1, 2), 1, 8) in RUN.edges()


def test_a_rank_without_a_trace() -> None:
    run = Run.of([process(1, world=3)])
    assert run.missing() == [0, 2]
    with pytest.raises(KeyError, match="rank 0 left no trace"):
        run.rank(0)


def test_a_run_survives_json() -> None:
    assert Run.from_json(json.loads(json.dumps(RUN.to_json()))) == RUN


@pytest.mark.parametrize("data", [{}, [], {"processes": [{"rank": 0}]}, {"processes": 3}])
def test_what_is_no_run(data) -> None:
    with pytest.raises(ValueError, match="not the trace"):
        Run.from_json(data)
