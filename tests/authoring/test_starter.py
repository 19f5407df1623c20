"""A new assignment is right as it is; what is there already stays."""

from __future__ import annotations

import pytest

import grader
from grader import assignment as assignments
from grader.assignment import VARIABLE
from grader.authoring import review, write_starter
from grader.errors import UsageError


def no_progress(done, total, running):
    pass


def test_it_is_right_as_it_is(tmp_path):
    made = write_starter("practical-9", tmp_path / "course")
    found = review(made, jobs=2, progress=no_progress)
    assert found.faults == []
    assert found.advice == []
    told = {finding.part: finding.told for finding in found.findings}
    assert told["reference"] == "2 of 2 points for code, 1 of 1 points suggested for the report"
    assert told["wrong hand-ins"] == "1, each loses what it says"
    assert told["template"] == "as it is: 0 of 2 points for code"


@pytest.mark.parametrize("name", ["", "a b", "../x", "-x", "a/b", "ülesanne"])
def test_names_that_no_folder_should_have(tmp_path, name):
    with pytest.raises(UsageError, match="cannot be the name of an assignment"):
        write_starter(name, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("part", ["rubrics", "reference", "student_template"])
def test_what_is_there_stays(tmp_path, part):
    (tmp_path / part / "ring").mkdir(parents=True)
    with pytest.raises(UsageError, match=r"is there already.*nothing was written"):
        write_starter("ring", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [part]


def test_the_environment_says_where(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert write_starter("ring").home == tmp_path


def test_nothing_is_written_into_an_installed_package(monkeypatch):
    inside = assignments.Path(grader.__file__).parent / "assignments"
    monkeypatch.setattr("grader.authoring.starter.built_in", lambda: inside)
    with pytest.raises(UsageError, match="name a folder with --assignments"):
        write_starter("ring")
    assert not (inside / "rubrics" / "ring").exists()
