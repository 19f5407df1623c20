"""Whole programs, in one process or several ranks: run once each, and never for too long."""

from __future__ import annotations

import json
import time

import attrs
import pytest

from grader.checking.expect import NeedsPerson, NotHandedIn
from grader.checking.observations import ProbeFailed
from grader.checking.submission import SubmissionHandle
from grader.checking.wanted import ProgramWanted, RanksWanted
from grader.judge.answers import FACTS_LIMIT, Unreadable
from grader.judge.prober import WorkerProber
from grader.judge.programs import Programs
from grader.program import Program
from grader.ranks import Ranks
from grader.rubric import Limits, Script
from grader.trace import Trace

TEXT = """\
import os, torch, torch.distributed as dist
MICRO_BATCHES = 4
def main():
    dist.init_process_group("nccl")
    rank = dist.get_rank()
    if rank == 0 and MICRO_BATCHES < 0:
        dist.barrier()
    while MICRO_BATCHES < 0:
        dist.all_reduce(torch.ones(1, device=f"cuda:{rank}"))
    print(MICRO_BATCHES, f"cuda:{rank + 2}", torch.cuda.device_count())
main()
"""
SCRIPTS = [
    Script("sample", ["sample"], words={"micro": ["MICRO_BATCHES"]}),
    Script("broken", ["broken"], optional=True),
]


@pytest.fixture
def asking(launcher, hand_in):
    """Probers of one hand-in, and the handle of checks on each: `asking(lost=10)`."""
    folder = hand_in({"sample.py": TEXT})
    probers = []

    def ask(before=None, **limits):
        bounds = attrs.evolve(Limits(), **limits)
        files = [file.relative_to(folder) for file in folder.rglob("*.py")]
        probers.append(WorkerProber(launcher, folder, files, None, bounds, SCRIPTS))
        return SubmissionHandle(probers[-1], before=before)

    yield ask
    for prober in probers:
        prober.__exit__()


def printed(ranks):
    return [process.printed for process in ranks.processes]


def test_processes_and_gpus_and_what_is_changed(asking):
    handle = asking()
    assert printed(handle.torchrun("sample", processes=2, gpus=4)) == [
        f"4 cuda:{rank + 2} 4" for rank in range(2)
    ]
    changes = {"sizes": {"micro": 8}, "rewrites": {"_ + 2": "_"}}
    assert printed(handle.torchrun("sample", processes=3, gpus=5, **changes)) == [
        f"8 cuda:{rank} 5" for rank in range(3)
    ]
    assert [(seen["processes"], seen["gpus"], seen["changes"]) for seen in handle.observations] == [
        (2, 4, {}),
        (3, 5, {"micro": 8, "_ + 2": "_"}),
    ]


def test_a_run_is_made_once(asking):
    handle = asking()
    first = handle.torchrun("sample", processes=1, gpus=1)
    assert handle.torchrun("sample", processes=1, gpus=1) is first
    assert handle.torchrun("sample", processes=1, gpus=1, same=True) is not first
    assert len(handle.observations) == 2


def test_a_script_that_was_not_handed_in(asking):
    with pytest.raises(NotHandedIn):
        asking().torchrun("broken", processes=2, gpus=4)


def test_what_hangs_is_told_with_a_hint_and_takes_of_the_time_for_that(asking):
    handle = asking(lost=3.0)
    with pytest.raises(ProbeFailed, match=r"^in 2 processes on 4 GPUs, s") as why:
        handle.torchrun("sample", processes=2, gpus=4, sizes={"micro": -1})
    assert "same calls in the same order" in why.value.hint
    assert handle.prober.workers.lost_seconds > 3
    with pytest.raises(ProbeFailed, match="not tried"):
        handle.torchrun("sample", processes=2, gpus=4, sizes={"micro": 2})
    seen = handle.observations[0]
    assert seen["problem"].startswith("the ranks do not make the same calls")
    json.dumps(handle.observations, allow_nan=False)


def test_in_the_second_try_only_the_first_hang_is_waited_for(asking):
    first = asking()
    again = asking(before=first)
    for handle in (first, again):
        for micro in (-1, -2):
            began = time.monotonic()
            with pytest.raises(ProbeFailed, match="do not make the same calls"):
                handle.torchrun("sample", processes=2, gpus=4, sizes={"micro": micro})
    assert time.monotonic() - began < 1
    assert printed(again.torchrun("sample", processes=1, gpus=3)) == ["4 cuda:2 3"]


def test_unfinished_runs_may_be_wanted(asking):
    handle = asking()
    ranks = handle.torchrun("sample", processes=2, gpus=4, sizes={"micro": -1}, finished=False)
    assert ranks.hung
    assert len(ranks.ended) == 2


# ------------------------------------------------------------------ what comes back is not trusted


def answered(answer, hand_in):
    folder = hand_in({"sample.py": TEXT})
    files = [(folder / "sample.py").relative_to(folder)]
    programs = Programs(lambda *_: answer, folder, files, SCRIPTS, Limits(), 1)
    return programs.torchrun(RanksWanted("sample", 2, 4))


def ranks(count, gpus):
    processes = [Program("sample.py", gpus, Trace(gpus)) for _ in range(count)]
    return json.dumps(Ranks("sample.py", gpus, processes).to_json()).encode()


def test_ranks_as_they_were_asked_for(hand_in):
    assert len(answered([ranks(2, 4)], hand_in).processes) == 2


@pytest.mark.parametrize(
    "answer",
    [
        [],
        [b"{}"],
        [b"[]"],
        [b"\xff"],
        [b"[" * 100_000],
        [b" " * (FACTS_LIMIT + 1)],
        [ranks(2, 4), b"more"],
        [ranks(1, 4)],
        [ranks(2, 5)],
    ],
    ids=lambda answer: str(answer)[:20],
)
def test_what_is_not_is_unreadable(hand_in, answer):
    with pytest.raises(Unreadable):
        answered(answer, hand_in)


def test_a_gap_is_for_a_person(asking):
    with pytest.raises(NeedsPerson, match="nothing like"):
        asking().torchrun("sample", processes=2, gpus=4, rewrites={"_ - 2": "_"})


# ------------------------------------------------------------------ one process


@pytest.fixture
def asked():
    """What processes were asked for."""
    return []


@pytest.fixture
def programs(hand_in, asked):
    def ask(options, request, seconds):
        asked.append((options.gpus, options.timeline, request["file"]))
        return [
            json.dumps(
                Program(request["file"], options.gpus, Trace(options.gpus)).to_json()
            ).encode()
        ]

    files = {"one.py": "print(1)", "two.py": "print(2)"}
    folder = hand_in(files)
    scripts = [Script("first", ["one"]), Script("same", ["one"]), Script("second", ["two"])]
    return Programs(ask, folder, [*map(folder.__class__, files)], scripts, Limits(), seed=1)


def test_two_scripts_in_one_file_are_run_once(programs, asked):
    first = programs.program(ProgramWanted("first", 2))
    assert programs.program(ProgramWanted("same", 2)) is first
    assert asked == [(2, False, "one.py")]


def test_what_differs_is_run_again(programs, asked):
    programs.program(ProgramWanted("first", 2))
    programs.program(ProgramWanted("first", 1))
    programs.program(ProgramWanted("first", 2, timeline=True))
    programs.program(ProgramWanted("first", 2, values={2: 3}))
    programs.program(ProgramWanted("first", 2, ("x",)))
    programs.program(ProgramWanted("second", 2))
    assert len(asked) == 6
