"""What is noted of a program while it runs."""

from __future__ import annotations

import json

import pytest

from grader.checking.wanted import ProgramWanted
from grader.judge.prober import WorkerProber
from grader.program import Kind
from grader.rubric import Limits, Script
from grader.timeline import Kind as SpanKind

HEAD = """\
import sys, time, torch
from torch import nn
"""


@pytest.fixture
def ran(launcher, hand_in):
    """What one file does on 2 GPUs."""

    def run(text, name="lab.py", *, timeline=False):
        folder = hand_in({name: text})
        [file] = (path.relative_to(folder) for path in folder.iterdir())
        scripts = [Script("lab", ["lab"])]
        with WorkerProber(launcher, folder, [file], None, Limits(), scripts) as prober:
            return prober.program(ProgramWanted("lab", 2, timeline=timeline))

    return run


def test_where_weights_are_is_known_of_a_call_that_fails(ran):
    program = ran(HEAD + "nn.Linear(2, 2, device='cuda:1')(torch.ones(1, 2).to('cuda:0'))\n")
    assert "same device" in program.problem
    [call] = program.calls
    assert (call.weights, call.outputs) == ((1,), ())


def test_a_message_may_go_to_standard_error(ran):
    program = ran(HEAD + "print('too few GPUs', file=sys.stderr)\nprint('done')\n")
    assert [event.text for event in program.of(Kind.PRINT)] == ["too few GPUs", "done"]


@pytest.mark.parametrize(
    "wait",
    [
        "torch.cuda.synchronize()",
        "torch.cuda.synchronize(1)",
        "torch.cuda.current_stream(1).synchronize()",
        "torch.accelerator.synchronize()",
        "y.sum().item()",
    ],
)
def test_waiting_for_a_gpu_in_many_ways(ran, wait):
    program = ran(
        HEAD + "m = nn.Linear(2, 2).to('cuda:1')\nx = torch.ones(1, 2).to('cuda:1')\n"
        f"a = time.time()\ny = m(x)\n{wait}\nb = time.time()\n"
    )
    [timing] = program.timings()
    assert timing.true
    assert (timing.start.line, timing.end.line) == ("lab.py:5", "lab.py:8")


def test_a_gpu_reads_the_clock_itself(ran):
    program = ran(
        HEAD + "a, b = (torch.cuda.Event(enable_timing=True) for _ in range(2))\n"
        "m = nn.Linear(2, 2).cuda()\na.record()\nm(torch.ones(1, 2).cuda())\nb.record()\n"
        "torch.cuda.synchronize()\na.elapsed_time(b)\n"
    )
    [timing] = program.timings()
    assert timing.true


def test_copies_are_told_by_the_lines_of_their_author(ran):
    text = HEAD + "x = torch.ones(2, requires_grad=True, device='cuda:0')\ny = x.to('cuda:1')\n"
    program = ran(text + "y.sum().backward()\ntorch.cat([y, y]).cpu()\n")
    lines = {(t.source, t.target): t.line for t in program.trace.transfers}
    assert lines == {(0, 1): "lab.py:4", (1, 0): "lab.py:5", (1, -1): "lab.py:6"}


def test_a_line_of_a_notebook_is_told_by_its_cell(ran):
    cells = [["import torch\n"], ["x = torch.ones(2)\n", "x.cuda()\n", "print(x)"]]
    book = {"cells": [{"cell_type": "code", "source": source} for source in cells]}
    program = ran(json.dumps(book | {"nbformat": 4}), "lab.ipynb")
    assert [t.line for t in program.trace.transfers] == ["lab.ipynb, cell 2:2"]
    assert [event.line for event in program.of(Kind.PRINT)] == ["lab.ipynb, cell 2:3"]


def test_to_look_at_the_weights_takes_no_time(ran):
    program = ran(
        HEAD + "m = nn.Linear(2000, 2000).to('cuda:0')\n"
        "o = torch.optim.SGD(m.parameters(), lr=0.1)\n"
        "m(torch.ones(1, 2000).cuda()).sum().backward()\no.step()\n",
        timeline=True,
    )
    assert len(program.of(Kind.STEP)) == 1
    copies = [s.name for s in program.timeline.spans if s.kind is SpanKind.COPY]
    assert copies
    assert "copy cuda:0 to cpu" not in copies
