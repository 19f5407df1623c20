"""What a model does at the widths that students train is what it did at those of the probes."""

from __future__ import annotations

import json

import pytest
from stand_ins import MODEL

from grader.judge import rescore
from grader.records import Outcome, State

LOOP = "        for layer in self.layers:"


def before_the_loop(*lines):
    return MODEL.replace(LOOP, "\n".join([*(f"        {line}" for line in lines), LOOP]))


def cross_check(verdict):
    return verdict.record["cross_check"]


def test_an_honest_model_does_the_same_at_every_width(judged):
    seen = [cross_check(judged(MODEL, seed=str(number))) for number in range(4)]
    assert {one["agrees"] for one in seen} == {True}
    assert all(1024 <= one["width"] <= 8192 and one["gpus"] > 2 for one in seen)
    assert len({(one["depth"], one["gpus"], one["width"]) for one in seen}) > 1


OTHERWISE = {
    "one GPU where it is wide": MODEL.replace("{i * gpus", "{(dim < 99) * i * gpus"),
    "one GPU where it is narrow": MODEL.replace("{i * gpus", "{(dim > 99) * i * gpus"),
    "goes back and forth": MODEL.replace(
        "            x = layer(x)", "            x = layer(x)\n            if x.shape[1] > 99:\n"
        "                x = x.to('cuda:0').to('cuda:1')"),
    "fails where it is wide": before_the_loop("assert x.shape[1] < 99"),
    "is nothing where it is wide": MODEL.replace("range(depth)", "range(depth * (dim < 99))"),
}  # fmt: skip


@pytest.mark.parametrize("text", OTHERWISE.values(), ids=OTHERWISE)
def test_code_whose_way_depends_on_the_width_waits_for_a_person(text, judged, rubric):
    verdict = judged(text)
    assert cross_check(verdict)["agrees"] is False
    for score in verdict.criteria.values():
        assert (score.earned, score.state, score.outcome) == (None, State.PENDING, None)
        assert f"at width {cross_check(verdict)['width']}" in score.evidence
    assert rescore(rubric, json.loads(json.dumps(verdict.record))) == verdict


HONEST = {
    "looks at values": before_the_loop("if (x > 0).any():", "    x = x + 0"),
    "takes numbers out": before_the_loop("print(x.cpu().numpy().mean())"),
    "branches on a value": before_the_loop("if x.sum().item() > 1e9:", "    x = x.to('cuda:1')"),
    "writes down a loss": before_the_loop("self.seen = x.detach().cpu().tolist()"),
}


@pytest.mark.parametrize("text", HONEST.values(), ids=HONEST)
def test_code_that_needs_values_bothers_nobody(text, judged):
    verdict = judged(text)
    assert cross_check(verdict)["agrees"] is not False
    assert {s.outcome for s in verdict.criteria.values()} <= {Outcome.PASSED, None}
    assert verdict.criteria["t3.even"].earned == 1.0


def test_code_that_takes_too_long_without_data_bothers_nobody(judged):
    slow = before_the_loop("while x.shape[1] > 99:", "    pass")
    verdict = judged(slow, forward=1.0)
    assert cross_check(verdict)["agrees"] is None
    assert "computing" in cross_check(verdict)["problem"]
    assert {s.earned for s in verdict.criteria.values()} == {1.0}


def test_without_a_forward_pass_there_is_nothing_to_cross_check(judged):
    assert cross_check(judged("x = 1")) is None


def test_what_a_model_did_stays_when_it_is_cross_check(judged):
    """The cross_check is no observation: it has widths that no probe has."""
    widths = {o["dim"] for o in judged(MODEL).observations if "dim" in o}
    assert len(widths) == 1
    assert widths < set(range(17, 40))
