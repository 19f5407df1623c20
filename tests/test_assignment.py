"""Where assignments are: those of this package, and those of any other folder."""

from __future__ import annotations

import tomllib

import pytest

from grader.assignment import VARIABLE, assignments, built_in, copy_template, find
from grader.errors import UsageError


@pytest.fixture
def home(tmp_path):
    """A home of two assignments; one has the name of a built-in one."""
    for name in ("ring", "hw3"):
        for part in ("rubrics", "reference", "student_template"):
            (tmp_path / part / name).mkdir(parents=True)
        (tmp_path / "rubrics" / name / "rubric.toml").write_text("")
        template = tmp_path / "student_template" / name
        (template / "assignment.toml").write_text(f'assignment = "{name}"\n')
        (template / "__pycache__").mkdir()
    return tmp_path


def test_the_built_in_ones_are_complete():
    found = assignments()
    assert "hw3" in {one.name for one in found}
    for one in found:
        assert one.home == built_in()
        assert one.rubric.is_file()
        assert one.reference.is_dir()
        assert (one.template / "assignment.toml").is_file()


def test_those_of_another_home_stand_beside_them_and_win(home):
    by_name = {one.name: one.home for one in assignments(home)}
    assert by_name["ring"] == by_name["hw3"] == home
    assert by_name["practical4"] == built_in()


def test_the_environment_names_a_home(home, monkeypatch, tmp_path):
    monkeypatch.setenv(VARIABLE, str(home))
    assert find("ring").home == home
    (tmp_path / "other" / "rubrics").mkdir(parents=True)
    assert "ring" not in {one.name for one in assignments(tmp_path / "other")}  # what is said wins


def test_a_relative_home_stays_where_it_was(home, monkeypatch):
    monkeypatch.chdir(home.parent)
    found = find("ring", home.relative_to(home.parent))
    monkeypatch.chdir("/")
    assert found.rubric.is_file()


@pytest.mark.parametrize("name", ["hw99", "", ".", "../rubrics/hw3"])
def test_an_unknown_name_is_answered_with_the_known_ones(name):
    with pytest.raises(UsageError, match=r"there is no assignment '.*'; expected hw3 or"):
        find(name)


def test_a_folder_that_is_no_home_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"holds no assignments; expected a folder with rubrics/"):
        find("hw3", tmp_path)


def test_a_students_copy_says_where_its_assignment_is(home, tmp_path):
    copy_template(find("ring", home), tmp_path / "mine")
    said = tomllib.loads((tmp_path / "mine" / "assignment.toml").read_text("utf-8"))
    assert said == {"assignment": "ring", "assignments": str(home)}
    assert not (tmp_path / "mine" / "__pycache__").exists()


def test_a_copy_of_a_built_in_one_is_as_it_was(tmp_path):
    copy_template(find("hw3"), tmp_path / "mine")
    copied = (tmp_path / "mine" / "assignment.toml").read_bytes()
    assert copied == (find("hw3").template / "assignment.toml").read_bytes()
