"""Assignments outside of the package, as people use them: real commands, real processes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from grader.assignment import VARIABLE
from grader.authoring import write_starter


def run(*command, cwd, **environment):
    done = subprocess.run(
        [sys.executable, "-m", *map(str, command)],
        cwd=cwd,
        env=os.environ | {"COLUMNS": "140"} | environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def grade(tmp_path):
    def with_arguments(*arguments, code=0, **environment):
        found, printed = run("grader.cli", *arguments, cwd=tmp_path, **environment)
        assert found == code, printed
        assert "Traceback" not in printed
        return printed

    return with_arguments


@pytest.fixture
def count(tmp_path):
    return write_starter("count", tmp_path / "course")


def change(path, old, new):
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def test_a_class_is_graded_anew_where_a_check_has_changed(grade, count, tmp_path):
    shutil.copytree(count.reference, tmp_path / "class" / "ann")
    command = ("./class", "--assignment", "count", "--assignments", "course")
    assert "1 hand-in graded" in grade(*command)
    change(count.wrong / "always_two" / "count.py", "2", "4")
    assert "0 hand-ins graded, 1 unchanged" in grade(*command)
    change(count.checks / "test_count.py", "[1, 2, 5]", "[1, 2, 3]")
    assert "1 hand-in graded" in grade(*command)
    change(count.rubric, 'title = "The number', 'title = "A number')
    assert "1 scored again from what was seen before" in grade(*command)


def test_the_only_one_there_is_meant_and_of_several_none(grade, count, tmp_path):
    shutil.copytree(count.reference, tmp_path / "class" / "ann")
    command = ("./class", "--assignments", "course")
    grade(*command)
    assert '"assignment": "count"' in (tmp_path / "results/ann/score.json").read_text("utf-8")
    write_starter("other", tmp_path / "course")
    printed = grade(*command, code=2)
    assert "which assignment is it?; expected count or other; name it with" in printed


def test_they_are_listed_with_ours(grade, count):
    change(count.rubric, "points = 2\n", "points = -2\n")
    lines = grade("assignments", "--assignments", "course").splitlines()
    assert [line.split()[0] for line in lines][:2] == ["count", "hw3"]
    assert "2 to correct in its rubric: grade check-assignment count" in lines[0]
    assert "15 points" in lines[1]
    assert grade("assignments", GRADE_ASSIGNMENTS="course").splitlines() == lines


def test_a_new_one_is_made_and_not_twice(grade, tmp_path):
    printed = grade("new-assignment", "ring", "--assignments", "course")
    assert "grade check-assignment ring --assignments course" in printed
    assert (tmp_path / "course/rubrics/ring/rubric.toml").is_file()
    printed = grade("new-assignment", "ring", "--assignments", "course", code=2)
    assert "is there already" in printed


def test_what_is_wrong_with_one_is_said_and_counted(grade, count):
    change(count.checks / "test_count.py", '"t1.count"', '"t1.counts"')
    printed = grade("check-assignment", "count", "--assignments", "course", code=1)
    assert "FAIL  checks" in printed
    assert "rubric.toml, line 14: criterion, item 1: no check decides 't1.count'" in printed
    assert "no criterion 't1.counts'; did you mean 't1.count'?" in printed
    assert "not looked at before the rest is right" in printed
    assert "\n2 to correct.\n" in printed


def test_names_and_folders_that_are_not_there_are_wrong_usage(grade):
    assert "there is no assignment 'ring'" in grade("check-assignment", "ring", code=2)
    printed = grade("check-assignment", "ring", "--assignments", "course", code=2)
    assert "course holds no assignments; expected a folder with rubrics/" in printed
    assert "there is no assignment 'ring'" in grade("new", "ring", "mine", code=2)


def test_a_students_folder_knows_its_assignment_and_the_environment_knows_better(
    grade, count, tmp_path
):
    grade("new", "count", "mine", "--assignments", "course")
    (tmp_path / "course").rename(tmp_path / "moved")
    code, printed = run("pytest", "mine", "-p", "no:cacheprovider", cwd=tmp_path)
    assert code != 0
    assert "holds no assignments" in printed
    there = {VARIABLE: "moved"}
    code, printed = run("pytest", "mine", "-p", "no:cacheprovider", cwd=tmp_path, **there)
    assert "0 of 2  for the code" in printed
    shutil.copy(tmp_path / "moved/reference/count/count.py", tmp_path / "mine")
    (tmp_path / "mine/assignment.toml").write_text(
        'assignment = "count"\nassignments = "../moved"\n'
    )
    code, printed = run("pytest", "mine", "-p", "no:cacheprovider", cwd=tmp_path)
    assert code == 0, printed
    assert "2 of 2  for the code" in printed
