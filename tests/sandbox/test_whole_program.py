"""Whole programs, run as checks ask for it, and what is noted while they run."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from grader.checking.expect import NeedsPerson
from grader.checking.observations import ProbeFailed
from grader.checking.wanted import ProgramWanted
from grader.judge.prober import WorkerProber
from grader.program import ON_GPU, Kind
from grader.rubric import Limits, Script

TRAINING = """
    import time
    import torch
    from torch import nn

    model = nn.DataParallel(nn.Linear(WIDTH, WIDTH).to("cuda:0"))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for step in range(5):
        loss = model(torch.randn(64, WIDTH, device="cuda:0")).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print("loss", loss.item())
    print("done")
"""


@pytest.fixture
def program(launcher, hand_in):
    """A text as a program: what runs it, on so many GPUs."""
    probers = []

    def write(text, **limits):
        folder = hand_in({"a.py": text})
        bounds = attrs.evolve(Limits(), **limits)
        scripts = [Script("a", ["a"])]
        prober = WorkerProber(launcher, folder, [Path("a.py")], None, bounds, scripts)
        probers.append(prober)
        return lambda gpus, **more: prober.program(ProgramWanted("a", gpus, **more))

    yield write
    for prober in probers:
        prober.__exit__()


def training(width):
    return TRAINING.replace("WIDTH", str(width))


def test_it_is_ended_after_so_many_steps(program):
    run = program(training(8))(2, steps=2)
    assert run.problem is None
    assert len({step.text for step in run.of(Kind.STEP)}) == 2
    assert run.printed.count("loss") == 1
    assert "done" not in run.printed


def test_steps_on_several_gpus_are_those_on_one(program):
    run = program(training(8))
    one, three = run(1), run(3)
    values = [[step.value for step in run.of(Kind.STEP)] for run in (one, three)]
    assert values[0] == pytest.approx(values[1], rel=1e-5)
    assert len(set(values[0])) == 5
    # To look at the parameters is no copy to the host of theirs.
    assert [event.fetches for event in one.of(Kind.PRINT)] == [1, 2, 3, 4, 5, 5]


def test_without_data_large_models_are_soon_done(program):
    run = program(training(16384))(5, dry=True)
    assert run.problem is None
    assert [list(split.values()) for split in run.splits()] == [[13, 13, 13, 13, 12]] * 5
    assert [(step.text, step.value) for step in run.of(Kind.STEP)] == [("", None)] * 5
    assert run.printed.endswith("done")
    assert [event.fetches for event in run.of(Kind.PRINT)] == [1, 2, 3, 4, 5, 5]


@pytest.mark.parametrize(
    ("text", "limits"),
    [("while True: pass", {"script": 1.0}), ("import torch\ntorch.ones(10**13)", {})],
    ids=["time", "memory"],
)
def test_what_takes_more_than_there_is_waits_for_a_person(program, text, limits):
    with pytest.raises(NeedsPerson):
        program(text, **limits)(2)


def test_what_ends_its_process_fails(program):
    with pytest.raises(ProbeFailed):
        program("import os\nos._exit(0)")(2)


def test_lines_of_replicas_stay_whole(program):
    run = program(
        """
        import sys, time
        import torch
        from torch import nn

        class Net(nn.Module):
            def forward(self, x):
                sys.stdout.write(f"begun on {x.device}")
                time.sleep(0.1)
                sys.stdout.write(" and done\\n")
                return x

        nn.DataParallel(Net())(torch.ones(4, device="cuda:0"))
        """
    )(2)
    lines = run.printed.split("\n")
    assert sorted(lines) == [f"begun on cuda:{gpu} and done" for gpu in range(2)]


def test_memory_clocks_and_options_are_noted(program):
    run = program(
        """
        import argparse
        import torch
        parser = argparse.ArgumentParser()
        parser.add_argument("-g", "--gpus", default=2)
        parser.parse_args()
        torch.cuda.max_memory_allocated(1)
        torch.cuda.memory_reserved(torch.device("cuda:1"))
        torch.cuda.memory_summary(device="cuda:0")
        torch.cuda.memory_allocated()
        torch.cuda.Event(enable_timing=True).record()
        torch.cuda.current_stream().synchronize()
        torch.accelerator.synchronize()
        """
    )(2)
    assert [event.text for event in run.of(Kind.MEMORY)] == ["1", "1", "0", "0"]
    assert [event.text for event in run.of(Kind.CLOCK)] == [ON_GPU]
    assert len(run.of(Kind.SYNCHRONIZE)) == 2
    assert run.options == ["--gpus"]
