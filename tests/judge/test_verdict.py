"""Failures of ours cost no points, and are kept for the instructor."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import attrs
import pytest
from stand_ins import MODEL

from grader.assignment import Assignment
from grader.errors import InternalError
from grader.judge import judge
from grader.records import Kind, Outcome, State
from grader.rubric import Criterion

CHECKS = """
import pytest
from grader.checking.expect import expect

@pytest.mark.criterion("fine")
def test_fine(submission):
    layers = submission.forward(depth=6, gpus=2).layers_per_gpu()
    expect(layers == [3, 3], expected="3, 3", seen=layers)

@pytest.mark.criterion("broken")
def test_broken(submission):
    [].index("our mistake")

@pytest.mark.criterion("loud")
def test_loud(submission):
    pytest.fail("not our way to fail")
"""


@pytest.fixture
def judged(rubric, launcher, hand_in, tmp_path):
    """Judge MODEL by checks of our own, for the given criteria."""

    def run(checks, *ids, text=MODEL):
        assignment = Assignment("ours", tmp_path / "home")
        assignment.checks.mkdir(parents=True)
        (assignment.checks / "test_checks.py").write_text(checks)
        criteria = [Criterion(i, "t3", i, 1.0, Kind.CODE) for i in ids]
        ours = attrs.evolve(rubric, criterion=criteria)
        return judge(assignment, ours, hand_in({"hw3.py": text}), [Path("hw3.py")], launcher)

    return run


def test_a_check_that_breaks_costs_no_points_and_calls_a_person(judged):
    scores = judged(CHECKS, "fine", "broken", "loud", "forgotten").criteria
    assert scores["fine"].earned == 1.0
    for name in ("broken", "loud", "forgotten"):
        assert scores[name].earned is None
        assert scores[name].state is State.PENDING
        assert scores[name].outcome is Outcome.ERROR
    assert "our mistake" in scores["broken"].operator
    assert "test_checks.py" in scores["broken"].operator
    assert "our mistake" not in scores["broken"].evidence


def test_options_meant_for_other_runs_of_pytest_do_not_matter(judged, monkeypatch):
    monkeypatch.setenv("PYTEST_ADDOPTS", "--collect-only")
    assert judged(CHECKS, "fine", "broken", "loud").criteria["fine"].earned == 1.0


def test_a_check_of_an_unknown_criterion_is_an_error(judged):
    with pytest.raises(InternalError, match="broken, loud"):
        judged(CHECKS, "fine")


@pytest.mark.parametrize("checks", ["def test_x(: pass", "import no_such_module", "x = 1"])
def test_checks_that_cannot_be_run_are_an_error(checks, judged):
    with pytest.raises(InternalError, match="could not be run"):
        judged(checks, "fine")


def test_a_check_without_criterion_is_an_error(judged):
    with pytest.raises(InternalError, match="criterion"):
        judged("def test_x(submission): pass", "fine")


def test_one_probe_serves_all_checks(judged):
    checks = CHECKS + CHECKS.split("@pytest")[1].join(["@pytest", ""]).replace("fine", "again")
    result = judged(checks, "fine", "broken", "loud", "again")
    assert [o["probe"] for o in result.observations] == ["forward", "script"]


def test_the_judge_needs_no_torch():
    program = (
        "import sys\n"
        "class NoTorch:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] == 'torch': raise ImportError('torch is blocked')\n"
        "sys.meta_path.insert(0, NoTorch())\n"
        "import grader.judge, grader.sandbox.zygote_host, grader.checking.run\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
