"""Grading a class as a whole: nobody's trouble costs another their grade."""

import json
import os
import tomllib
from pathlib import Path

import pytest

from grader import grading, intake
from grader.errors import InternalError
from grader.grading import Run, grade_all, grade_and_write, grade_class
from grader.records import State, Student, Submission

ROOT = Path(__file__).parents[1]


@pytest.fixture
def run(tmp_path):
    return Run("hw3", intake.ClassSettings(), tmp_path / "out", "a seed")


def submission(tmp_path, key):
    folder = tmp_path / key
    folder.mkdir()
    return Submission(key, Student(key), folder, folder)


def grade_or_die(run, submission):
    """Stands in for `grade_and_write` in the processes of a pool."""
    if submission.id == "killer":
        os._exit(9)
    score, _ = grading._failed(run, submission, "not really graded")
    return score, None


def test_a_judging_process_that_dies_costs_only_its_own_hand_in(run, tmp_path):
    hand_ins = [submission(tmp_path, key) for key in ("ann", "killer", "ben", "cem")]
    graded = {score.submission: fault for score, fault in grade_all(run, hand_ins, 2, grade_or_die)}
    assert graded == {
        "ann": None,
        "ben": None,
        "cem": None,
        "killer": "the process that judges it died twice",
    }


class NoWorkers:
    def launch(self, folder, options):
        raise InternalError("no worker today")


def test_a_fault_of_ours_takes_no_points_and_calls_a_person(run, tmp_path, monkeypatch):
    monkeypatch.setattr(grading, "launcher_for_this_process", NoWorkers)
    folder = tmp_path / "ann"
    folder.mkdir()
    (folder / "hw3.py").write_text("class LargeLinearModelMP: ...\n")
    hand_in = Submission("ann", Student("ann"), folder, folder, code=(Path("hw3.py"),))
    score, fault = grade_and_write(run, hand_in)
    assert fault is not None
    assert "no worker today" in fault
    assert {c.state for c in score.criteria} == {State.PENDING}
    assert (run.out / "ann" / "report.pdf").exists()
    assert "no worker today" not in (run.out / "ann" / "report.pdf").read_text("latin-1")


def test_results_that_cannot_be_written_are_our_fault(run, tmp_path, monkeypatch):
    run.out.mkdir()
    (run.out / "ann").write_text("a file stands where the folder should be")
    _, fault = grade_and_write(run, submission(tmp_path, "ann"))
    assert fault is not None
    assert "results could not be written" in fault


@pytest.mark.timeout(600)
def test_the_demo_class_earns_what_was_worked_out_by_hand(tmp_path):
    expected = tomllib.loads((ROOT / "tests/submissions/demo_expected.toml").read_text("utf-8"))
    progress = []
    result = grade_class(
        ROOT / "submissions",
        tmp_path,
        jobs=2,
        progress=lambda score, total: progress.append((score.submission, total)),
    )
    assert not result.failed
    assert [s.submission for s in result.scores] == sorted(expected)
    assert sorted(progress) == [(key, len(expected)) for key in sorted(expected)]
    for score in result.scores:
        earned = {c.id: c.earned for c in score.criteria if c.kind == "code"}
        wanted = expected[score.submission]
        pending = wanted.pop("pending", [])
        assert earned == wanted | dict.fromkeys(pending), score.submission
        stored = json.loads((tmp_path / score.submission / "score.json").read_text("utf-8"))
        assert stored["total"] == sum(wanted.values())
        assert stored["possible"] == 15
