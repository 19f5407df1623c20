"""The line that put a layer where it is: made it there, or moved it there last."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from stand_ins import MODEL

from grader.judge.prober import WorkerProber

MAKE = "layer = nn.Sequential(nn.Linear(dim, dim), nn.ReLU())"
MOVE = 'self.layers.append(layer.to(f"cuda:{i * gpus // depth}"))'
KEEP = "self.layers.append(layer)"
ON_GPU = "layer = nn.Linear(dim, dim, device='cuda:1')"
BY_DEFAULT = "torch.set_default_device('cuda:1'); layer = nn.Linear(dim, dim)"


def with_lines(make=MAKE, keep=MOVE, after=""):
    text = MODEL.replace(MAKE, make).replace(MOVE, keep)
    return text.replace("\n    def forward", f"\n        {after}\n\n    def forward", 1)


@pytest.mark.parametrize(
    ("make", "keep", "after", "placed"),
    [
        (MAKE, MOVE, "pass", [MOVE]),
        (MAKE, KEEP, "pass", [MAKE]),
        (ON_GPU, KEEP, "pass", [ON_GPU]),
        (MAKE, KEEP, "self.to('cuda:0')", ["self.to('cuda:0')"]),
        (MAKE, MOVE, "self.cuda(1)", ["self.cuda(1)"]),
        (MAKE, MOVE, "self.float()", [MOVE]),  # which moves nothing
        (MAKE, MOVE, "self.layers[0].to('cuda:1')", ["self.layers[0].to('cuda:1')", MOVE]),
        (MAKE, KEEP, "for p in self.parameters(): p.data = p.data.to('cuda:1')", []),
        (BY_DEFAULT, KEEP, "pass", [BY_DEFAULT]),
    ],
)
def test_where_layers_got_their_device(make, keep, after, placed, probing):
    seen = probing(with_lines(make, keep, after)).build(4, 2)
    assert [line.partition(": ")[2] for line in seen.places.placed] == placed
    assert all(line.startswith("hw3.py, line ") for line in seen.places.placed)


def test_a_run_says_where_its_layers_ran_and_its_data_moved(probing):
    seen = probing(MODEL).forward(6, 2)
    assert seen.placed_at == f"hw3.py, line 15: {MOVE}"
    assert seen.ran_at == "hw3.py, line 20: x = layer(x)"
    assert seen.copied_at == "hw3.py, line 19: x = x.to(next(layer.parameters()).device) (once)"


ODD = """
class Part(nn.Sequential):
    def parameters(self, which):
        raise TypeError("not like this")

class LargeLinearModelMP"""


def test_a_module_that_is_odd_fails_nowhere_because_of_us(probing):
    text = MODEL.replace("\nclass LargeLinearModelMP", ODD).replace(
        "nn.Sequential(nn.L", "Part(nn.L"
    )
    text = text.replace("next(layer.parameters())", "layer[0].weight")
    seen = probing(text).forward(4, 2)
    assert seen.numbers.right
    assert seen.placed_at.endswith(f": {MOVE}")


def test_a_script_that_moves_its_model_says_where(probing):
    script = MODEL + "\nmodel = LargeLinearModelMP(DIM, DEPTH)\nmodel = model.to('cuda:0')\n"
    ran = probing(script + "model(torch.ones(2, DIM, device='cuda:0'))\n").run_script(6, 3)
    assert ran.placed == ("hw3.py, line 24: model = model.to('cuda:0')",)


def test_a_script_that_copies_its_model_says_where(probing):
    plain = MODEL.replace(MOVE, KEEP).replace("x = x.to(next(layer.parameters()).device)", "pass")
    script = f"{plain}\nmodel = nn.DataParallel(LargeLinearModelMP(DIM, DEPTH).cuda())\n"
    ran = probing(script + "model(torch.ones(6, DIM).cuda())\n").run_script(6, 3)
    assert ran.replicated
    assert ran.placed == (
        "hw3.py, line 23: model = nn.DataParallel(LargeLinearModelMP(DIM, DEPTH).cuda())",
    )


def test_a_line_of_a_notebook_is_told_by_its_cell(hand_in, launcher, rubric):
    cells = [{"cell_type": "code", "source": part} for part in MODEL.split("\n\n\n")]
    folder = hand_in({"hw3.ipynb": json.dumps({"cells": cells, "nbformat": 4})})
    files = [Path("hw3.ipynb")]
    with WorkerProber(launcher, folder, files, rubric.model, rubric.limits) as prober:
        assert prober.build(4, 2).placed_at == f"hw3.ipynb, cell 2, line 8: {MOVE}"
