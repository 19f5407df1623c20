"""What is told of numbers that are not right."""

from __future__ import annotations

import pytest
from stand_ins import MODEL

from grader.judge.diagnosis import in_python, of_gradients, of_layers

LAYERS = ["layers.0.0", "layers.1.0", "layers.2.0"]


@pytest.mark.parametrize(
    ("ran", "problem"),
    [
        (LAYERS, None),
        ([None, *LAYERS, "head"], None),
        ([], None),
        (["Linear"], None),
        (LAYERS[:2], "forward() never runs self.layers[2][0]"),
        (LAYERS[2:], "forward() never runs self.layers[0][0] and 1 more"),
        ([*LAYERS, LAYERS[0]], "forward() runs self.layers[0][0] more than once"),
        (
            [LAYERS[0], LAYERS[0], LAYERS[2]],
            "forward() runs self.layers[0][0] more than once and never runs self.layers[1][0]",
        ),
        (LAYERS[::-1], "forward() runs self.layers[2][0] before layers that were made earlier"),
    ],
)
def test_layers_that_did_not_run_as_they_were_made(ran, problem):
    told = of_layers(LAYERS, ran)
    assert (told and told.problem) == problem


def test_parameters_without_a_gradient():
    assert of_gradients([]) is None
    told = of_gradients(["layers.0.weight", "layers.0.bias"])
    assert told is not None
    assert told.problem == "no gradient reaches self.layers[0].weight and 1 more"


def test_paths_as_the_class_writes_them():
    assert in_python("stages.1.0.norm") == "self.stages[1][0].norm"
    assert in_python("0.weight") == "self[0].weight"


RUN = "x = layer(x)"


@pytest.mark.parametrize(
    ("wrong", "problem", "hint", "line"),
    [
        ("x = layer[0](x)", "without ReLUs", "Call every ReLU", "x = layer[0](x)"),
        ("x = layer(x * 0)", "two different inputs", "Begin with x", "def forward(self, x):"),
        ("x = layer(x) / 0", "NaN or infinity", "divisions", "def forward(self, x):"),
        ("x = layer(x)[:, :1]", "another shape", "as wide as x", "def forward(self, x):"),
        (
            "x = layer(x).half().float()",
            "an output that is off by",
            "Digits",
            "x = layer(x).half().float()",
        ),
        ("x = layer(x) * 1.5", "off by", "exactly once", "def forward(self, x):"),
        ("x = layer(layer(x))", "more than once", "exactly once", "x = layer(layer(x))"),
    ],
)
def test_an_output_that_is_wrong(wrong, problem, hint, line, probing):
    assert MODEL.count(RUN) == 1
    once = wrong if "[:, :1]" not in wrong else f"{RUN}\n        x = x[:, :1]"
    seen = probing(MODEL.replace(RUN, once)).forward(6, 2).numbers
    assert seen.right is False
    assert problem in seen.problem
    assert hint in seen.hint
    assert line in seen.where


@pytest.mark.parametrize(
    "cut", ["x.detach()", "x.data", "torch.tensor(x.tolist(), device=x.device)"]
)
def test_a_training_whose_gradients_are_cut(cut, probing):
    text = MODEL.replace(RUN, f"x = layer({cut})")
    seen = probing(text).train(6, 2)
    assert seen.numbers.right is False
    assert seen.numbers.problem.startswith("no gradient reaches self.layers[0]")
    assert f"x = layer({cut})" in seen.numbers.where
    assert seen.suspects == seen.numbers.where
