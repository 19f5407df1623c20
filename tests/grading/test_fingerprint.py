"""What a result follows from: its checks wherever they are, and nothing that only proves them."""

from __future__ import annotations

import shutil

import pytest

from grader.assignment import Assignment
from grader.authoring import write_starter
from grader.grading.fingerprint import of_run
from grader.rubric import load_rubric


@pytest.fixture
def assignment(tmp_path):
    return write_starter("x", tmp_path / "course")


def hashes(assignment):
    return of_run(assignment, load_rubric(assignment))


def change(path, old, new):
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")


def test_the_place_of_an_assignment_does_not_matter(assignment, tmp_path):
    shutil.copytree(assignment.home, tmp_path / "elsewhere")
    assert hashes(Assignment("x", tmp_path / "elsewhere")) == hashes(assignment)


@pytest.mark.parametrize("file", ["test_x.py", "conftest.py", "helpers/tables.py"])
def test_a_change_of_checks_or_of_what_they_use_counts(assignment, file):
    before = hashes(assignment)
    path = assignment.checks / file
    path.parent.mkdir(exist_ok=True)
    with path.open("a") as opened:
        opened.write("# another line\n")
    after = hashes(assignment)
    assert after["checks"] != before["checks"]
    assert after["rubric"] == before["rubric"]


def test_wrong_hand_ins_and_compiled_checks_do_not_count(assignment):
    before = hashes(assignment)
    change(assignment.wrong / "always_two" / "x.py", "2", "3")
    (assignment.checks / "__pycache__").mkdir()
    (assignment.checks / "__pycache__" / "test_x.pyc").write_bytes(b"x")
    assert hashes(assignment) == before


def test_points_are_no_reason_to_run_code_again_and_scripts_are(assignment):
    before = hashes(assignment)
    change(assignment.rubric, "points = 2\n", "points = 2.0\n")
    change(assignment.rubric, 'title = "The number', 'title = "A number')
    moved = hashes(assignment)
    assert moved["rubric"] != before["rubric"]
    assert moved["checks"] == before["checks"]
    change(assignment.rubric, 'names = ["x"]', 'names = ["main"]')
    assert hashes(assignment)["checks"] != before["checks"]
