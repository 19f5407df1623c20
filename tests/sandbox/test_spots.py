"""Lines of a class that a beginner may have to look at."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from stand_ins import MODEL

from grader.sandbox.spots import calls_of, spots


def lines(text, tmp_path):
    (tmp_path / "hw3.py").write_text(text, "utf-8")
    found = spots(ast.parse(text), "LargeLinearModelMP", Path("hw3.py"), tmp_path)
    return {kind: [place.partition(": ")[2] for place in told] for kind, told in found.items()}


def test_a_model_without_any(tmp_path):
    assert lines(MODEL, tmp_path) == {
        "forward": ["def forward(self, x):"],
        "cuts": [],
        "coarse": [],
        "lists": [],
    }


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("cuts", "x = x.detach()"),
        ("cuts", "x = layer(x.data)"),
        ("cuts", "with torch.no_grad(): x = layer(x)"),
        ("cuts", "layer = deepcopy(layer)"),
        ("cuts", "layer.weight.requires_grad = False"),
        ("cuts", "p = nn.Parameter(x, requires_grad=False)"),
        ("cuts", "x.register_hook(print)"),
        ("coarse", "x = x.half()"),
        ("coarse", "x = x.to(torch.bfloat16)"),
        ("lists", "self.kept = []"),
        ("lists", "self.kept = [layer for layer in self.layers]"),
        ("lists", "self.kept = list(self.layers)"),
    ],
)
def test_what_is_found(kind, line, tmp_path):
    found = lines(MODEL.replace("x = layer(x)", line), tmp_path)
    assert found.pop(kind) == [line]
    assert not any(told for other, told in found.items() if other != "forward")


@pytest.mark.parametrize(
    "line",
    ["if x.requires_grad: pass", "p = nn.Parameter(x, requires_grad=True)", "kept = []"],
)
def test_what_is_none(line, tmp_path):
    found = lines(MODEL.replace("x = layer(x)", line), tmp_path)
    assert not any(told for kind, told in found.items() if kind != "forward")


def test_only_what_the_class_needs(tmp_path):
    helper = "def handed_over(x):\n    return x.detach()\n"
    training = "\nlosses = []\nlosses.append(loss.detach())\n"
    text = MODEL.replace("x = layer(x)", "x = handed_over(layer(x))")
    assert lines(helper + text + training, tmp_path)["cuts"] == ["return x.detach()"]
    assert lines(helper + MODEL + training, tmp_path)["cuts"] == []


def test_a_decorator_is_on_its_own_line(tmp_path):
    text = MODEL.replace("    def forward", "    @torch.no_grad()\n    def forward")
    assert lines(text, tmp_path)["cuts"] == ["@torch.no_grad()"]


def test_calls():
    tree = ast.parse("a = nn.DataParallel(\n    model)\nDataParallel\nDataParallel(a)")
    assert calls_of(tree, "DataParallel") == [1, 4]
