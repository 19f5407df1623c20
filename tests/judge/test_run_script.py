"""A script run whole: what its model did, whatever the script does around it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from grader.judge.prober import WorkerProber

CLASS = """
import torch
import torch.nn as nn

class LargeLinearModelMP(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
        n = torch.cuda.device_count()
        self.layers = nn.ModuleList()
        for i in range(depth):
            layer = nn.Sequential(nn.Linear(dim, dim), nn.ReLU())
            self.layers.append(layer.to(f"cuda:{i * n // depth}"))

    def forward(self, x):
        for layer in self.layers:
            x = layer(x.to(next(layer.parameters()).device))
        return x
"""

TRAIN = """
def train(size, steps=20):
    model = LargeLinearModelMP(8192, size)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    times = []
    for step in range(steps):
        x = torch.randn(64, 8192).to("cuda:0")
        optimizer.zero_grad()
        out = model(x)
        loss = nn.functional.mse_loss(out, torch.zeros_like(out))
        loss.backward()
        optimizer.step()
        times.append(step)
    return sum(times[5:]) / len(times[5:]), loss.item()
"""

SPREAD = [0, 0, 0, 1, 1, 2, 2]  # 7 layers on 3 GPUs


def placements(ran):
    return [list(way.placement) for way in ran.trace.ways().values()]


SCRIPTS = {
    "at import": """
train(6)
""",
    "guard": """
HOW_MANY = 12
if __name__ == "__main__":
    print(train(HOW_MANY))
""",
    "several depths": """
for size in (6, 12, 24):
    print(train(size))
""",
    "argument": """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--depth", type=int, required=True)
train(parser.parse_args().depth)
""",
    "question": """
train(int(input("layers: ")))
""",
    "plot": """
import matplotlib.pyplot as plt
plt.plot([train(n) for n in (6, 12)])
plt.show()
""",
    "while": """
step = 0
while True:
    step += 1
    train(6, 6)
    if step == 3:
        break
""",
    "argv": """
import sys
train(int(sys.argv[1]))
""",
    "exit": """
import sys
train(6)
sys.exit(0)
""",
}


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_models_of_our_depth_run_where_the_script_puts_them(script, probing):
    ran = probing(CLASS + TRAIN + script).run_script(7, 3)
    assert placements(ran) == [SPREAD]
    assert (ran.file, ran.fault, ran.gap, ran.cut) == ("hw3.py", None, None, False)


def test_what_the_script_does_to_a_model_is_seen(probing):
    moving = TRAIN.replace("(8192, size)", "(8192, size).to('cuda:0')")
    ran = probing(CLASS + moving + "\ntrain(6)\n").run_script(7, 3)
    assert placements(ran) == [[0] * 7]


def test_a_model_that_is_moved_later_has_two_ways(probing):
    script = (
        "\nmodel = LargeLinearModelMP(16, 4)\nx = torch.randn(2, 16, device='cuda:0')\n"
        "for _ in range(3):\n    model(x)\nmodel.to('cuda:0')\nfor _ in range(3):\n    model(x)\n"
    )
    ran = probing(CLASS + script).run_script(7, 3)
    assert placements(ran) == [SPREAD, [0] * 7]
    assert ran.trace_of_model().placement() == [0] * 7


def test_an_endless_script_is_cut_and_what_ran_counts(probing):
    ran = probing(CLASS + TRAIN + "\ntrain(6)\nwhile True:\n    torch.zeros(3)\n").run_script(7, 3)
    assert (placements(ran), ran.cut) == ([SPREAD], True)


def test_a_mistake_of_the_script_is_told_with_its_line(probing):
    ran = probing(CLASS + TRAIN + "\ntrain(6)\nundefined()\n").run_script(7, 3)
    assert "NameError" in ran.fault
    assert "hw3.py, line" in ran.fault
    assert placements(ran) == [SPREAD]


def test_a_mistake_before_any_model_ran_is_told_too(probing):
    ran = probing(CLASS + TRAIN + "\nundefined()\ntrain(6)\n").run_script(7, 3)
    assert "NameError" in ran.fault
    assert ran.trace_of_model() is None


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("", "no script was found"),
        ("\nimport no_such_package\ntrain(6)\n", "no_such_package"),
        ("\nx = torch.randn(3, device='cuda:0')\nif (x > 0).any():\n    train(6)\n", "dry mode"),
        ("\nimport os\nos._exit(0)\n", "ended"),
    ],
)
def test_what_cannot_be_run_here_is_no_fault(script, why, probing):
    ran = probing(CLASS + TRAIN + script).run_script(7, 3)
    assert ran.fault is None
    assert why in ran.gap
    assert ran.trace_of_model() is None


def test_only_the_last_definition_of_a_class_counts(probing):
    first = CLASS.replace("i * n // depth", "0")
    use = "LargeLinearModelMP(16, 6)(torch.randn(2, 16, device='cuda:0'))"
    ran = probing(f"{first}\n{use}\n{CLASS}{TRAIN}\ntrain(6)\n").run_script(7, 3)
    assert placements(ran) == [SPREAD]


def test_data_parallel_is_recognised(probing):
    plain = CLASS.replace('.to(f"cuda:{i * n // depth}")', "").replace(
        "x.to(next(layer.parameters()).device)", "x"
    )
    script = (
        "\nmodel = nn.DataParallel(LargeLinearModelMP(16, 6).to('cuda:0'))\n"
        "model(torch.randn(6, 16, device='cuda:0'))\n"
    )
    ran = probing(plain + script).run_script(7, 3)
    assert ran.replicated
    assert ran.trace_of_model() is None


@pytest.mark.parametrize(
    ("change", "trains"),
    [
        (("", ""), True),
        (("model.parameters()", "model.layers[0].parameters()"), False),
        (("optimizer.step()", ""), False),
        (("mse_loss(out,", "mse_loss(out.detach(),"), False),
        (("loss.backward()", ""), False),
        (("loss.backward()", "torch.autograd.backward([loss])"), True),
    ],
    ids=lambda value: value[1] if isinstance(value, tuple) else "",
)
def test_whether_a_script_trains_its_model(probing, change, trains):
    ran = probing(CLASS + TRAIN.replace(*change) + "\ntrain(6)\n").run_script(7, 3)
    assert ran.trained is trains


def test_a_script_may_import_its_class(probing):
    files = {
        "src/model.py": CLASS,
        "src/train.py": "from model import *\n" + TRAIN + "\ntrain(6)\n",
    }
    ran = probing(files).run_script(7, 3)
    assert (ran.file, placements(ran)) == ("src/train.py", [SPREAD])


def test_cells_of_a_notebook_run_on_after_one_that_failed(launcher, rubric, tmp_path):
    cells = [CLASS, "undefined()", TRAIN, "!ls\ntrain(6)"]
    code = [{"cell_type": "code", "source": cell} for cell in cells]
    folder = tmp_path.resolve()
    (folder / "hw3.ipynb").write_text(json.dumps({"nbformat": 4, "cells": code}))
    with WorkerProber(launcher, folder, [Path("hw3.ipynb")], rubric.model, rubric.limits) as prober:
        ran = prober.run_script(7, 3)
    assert placements(ran) == [SPREAD]
    assert "NameError" in ran.fault
    assert "hw3.ipynb, cell 2, line 1" in ran.fault
