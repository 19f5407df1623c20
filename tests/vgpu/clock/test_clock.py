"""Whole scripts under the virtual clock, in processes of their own."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

SCRIPT = """
import time
import torch
import torch.nn as nn

DIM, DEPTH, BATCH, STEPS = 256, 20, 32, 8

class Model(nn.Module):
    def __init__(self):
        super().__init__()
        gpus = torch.cuda.device_count()
        self.layers = nn.ModuleList(
            nn.Sequential(nn.Linear(DIM, DIM), nn.ReLU()).to(f"cuda:{i * gpus // DEPTH}")
            for i in range(DEPTH)
        )

    def forward(self, x):
        for layer in self.layers:
            x = layer(x.to(next(layer.parameters()).device))
        return x

torch.manual_seed(0)
model = Model()
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
loss_fn = nn.MSELoss()
last = f"cuda:{torch.cuda.device_count() - 1}"
for step in range(STEPS):
    x, y = torch.randn(BATCH, DIM).to("cuda:0"), torch.randn(BATCH, DIM).to(last)
    torch.cuda.synchronize()
    start = time.time()
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.step()
    torch.cuda.synchronize()
    end = time.time()
    print(f"step {step}: loss {loss.item():.4f}, time {(end - start) * 1e6:.2f} us")
"""
REPORT = """
import json
from grader import vgpu
from grader.vgpu.clock.summary import summary
timeline = vgpu.timeline()
print(summary(timeline))
print(json.dumps(timeline.to_json()))
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    file = tmp_path / "train.py"
    file.write_text(SCRIPT + REPORT, "utf-8")
    return file


def test_a_script_prints_its_simulated_step_times(python, script: Path) -> None:
    child = python(script, VGPU="5", VGPU_CLOCK="virtual", VGPU_GPU="A100")
    assert child.stderr == ""
    *steps, headline = child.stdout.splitlines()[:9]
    times = {float(re.fullmatch(r"step \d: loss \d\.\d{4}, time (.*) us", s)[1]) for s in steps}
    told = re.fullmatch(r"simulated on 5 x A100: 8 steps, the median (.*) µs", headline)
    assert max(times) - min(times) < 1  # a time.time() is that coarse
    assert float(told[1]) == pytest.approx(min(times), rel=0.02)
    last_lines = child.stdout.splitlines()[9:]
    assert [line[:6] for line in last_lines[:5]] == [f"cuda:{gpu}" for gpu in range(5)]
    assert "at most 1 at once in forward and backward" in last_lines[5]


def test_neither_times_nor_losses_depend_on_the_run_or_the_clock(python, script: Path) -> None:
    plain = python(script, VGPU="2", VGPU_TIMELINE="1").stdout
    shown = python(script, VGPU="2", VGPU_CLOCK="virtual").stdout
    assert plain.splitlines()[-1] == shown.splitlines()[-1]
    assert len(json.loads(plain.splitlines()[-1])["spans"]) > 8 * 4 * 20  # of steps and layers
    losses = [re.findall(r"loss (\S+),", output) for output in (plain, shown)]
    assert losses[0] == losses[1]
    assert len(losses[0]) == 8


def test_clocks_imported_by_name_before_torch_are_virtual(python) -> None:
    program = """
from time import perf_counter
import torch
first = perf_counter()
sum(range(1_000_000))
print(perf_counter() - first)
"""
    taken = float(python("-c", program, VGPU="1", VGPU_CLOCK="virtual").stdout)
    assert 0 < taken < 1e-6


def test_without_simulation_there_is_no_timeline(python) -> None:
    program = """
import sys, time
real = time.time
from grader import vgpu
vgpu.install(2)
import torch
print(time.time is real, "grader.vgpu.clock.simulator" in sys.modules)
torch.ones(2, device="cuda") + 1
torch.cuda.synchronize()
vgpu.timeline()
"""
    child = python("-c", program)
    assert child.stdout == "True False\n"
    assert child.stderr.splitlines()[-1].endswith(
        "this process does not simulate time; ask for --timeline FILE or --clock virtual"
    )


def test_benchmarks_of_torch_measure_virtual_time(python) -> None:
    program = """
import torch
from torch.utils.benchmark import Timer
a = torch.ones(512, 512, device="cuda")
print(Timer("a @ a", globals={"a": a}).timeit(20).median)
"""
    measured = float(python("-c", program, VGPU="1", VGPU_CLOCK="virtual").stdout)
    assert measured == pytest.approx(2 * 512**3 / 19.5e12, rel=0.02)
