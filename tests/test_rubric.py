"""Rubrics: Home Work 3's is what the course fixed; mistakes are named all at once."""

from __future__ import annotations

import re
from pathlib import Path

import attrs
import pytest

import grader
from grader import rubric as rubrics
from grader.assignment import Assignment, find
from grader.errors import UsageError
from grader.rubric import load_rubric

FIXED = {
    "t1.q1": (1.5, "written"), "t1.q2": (1.5, "written"), "t2.table": (1.5, "table"),
    "t2.answer": (1.5, "written"), "t3.detect": (1, "code"), "t3.even": (1, "code"),
    "t3.explain": (1, "written"), "t4.run": (1, "code"), "t4.table": (1, "table"),
    "t4.answer": (1, "written"), "t5.counts": (1.5, "answer"), "t5.relation": (1.5, "written"),
}  # fmt: skip


def test_points_and_kinds_are_those_of_the_course():
    criteria = load_rubric(find("hw3")).criteria
    assert {c.id: (c.points, str(c.kind)) for c in criteria} == FIXED
    assert sum(c.points for c in criteria) == 15


def test_no_name_of_the_assignment_occurs_in_the_grader():
    package = Path(grader.__file__).parent
    model = load_rubric(find("hw3")).model
    words = re.compile(rf"{model.class_name}|layer_device|\bDEPTH = 20")
    installed = package / "assignments"  # where they lie in an installed package
    for path in (p for p in package.rglob("*.py") if not p.is_relative_to(installed)):
        assert not words.search(path.read_text("utf-8")), path


@pytest.fixture
def load(tmp_path):
    """Read a rubric of this text."""

    def with_text(text):
        assignment = Assignment("x", tmp_path)
        assignment.checks.mkdir(parents=True)
        assignment.rubric.write_text(text)
        return load_rubric(assignment)

    return with_text


@pytest.fixture
def mistakes(load):
    """The lines that a rubric of this text is refused with."""

    def of(text):
        with pytest.raises(UsageError) as told:
            load(text)
        return str(told.value).splitlines()

    return of


GOOD = """\
title = "X"
[model]
class_name = "M"
width = ["dim"]
depth = ["depth"]
gpus = []
devices = []
[[task]]
id = "t1"
title = "One"
[[criterion]]
id = "t1.a"
task = "t1"
title = "A"
points = 2
kind = "code"
"""


def test_a_good_rubric_is_read(load):
    rubric = load(GOOD + "[limits]\nforward = 3\n")
    assert rubric.limits == attrs.evolve(rubrics.Limits(), forward=3.0)
    assert [t.title for t in rubric.tasks] == ["One"]


@pytest.mark.parametrize(
    ("seconds", "share"),
    [(1, 0.0), (900, 0.0), (901, 0.1), (900 + 86400, 0.1), (901 + 86400, 0.2), (9 * 86400, 0.5)],
)
def test_each_day_begun_after_the_grace_costs_a_share(load, seconds, share):
    rubric = load(GOOD + '[late]\nper_day = 0.1\nat_most = 0.5\ngrace = "15 min"\n')
    assert rubric.late.share(seconds) == share


def test_nothing_is_lost_by_being_late_unless_the_rubric_says_so(load):
    assert load(GOOD).late is None


def test_mistakes_in_what_late_costs(mistakes):
    told = mistakes(GOOD + '[late]\nper_day = 10\nat_most = 0\ngrace = "a while"\n')
    assert [line.partition(": ")[2] for line in told] == [
        "late.per_day: expected a share up to 1, found 10",
        "late.at_most: expected a share up to 1, found 0",
        "late.grace: expected a time such as '15 min', found 'a while'",
    ]


def test_all_mistakes_are_named_with_their_lines(mistakes):
    bad = GOOD.replace('title = "A"\n', "").replace("points = 2", "points = -1")
    bad = bad.replace('kind = "code"', 'kind = "magic"').replace('title = "X"', 'titel = "X"')
    told = mistakes(bad + "[[criterion.partial]]\ncredit = 1.5\n[limits]\nforward = 0\n")
    for what in ("titel", "title", "points", "magic", "credit", "forward"):
        assert what in "\n".join(told)
    assert sum(bool(re.match(r"rubric\.toml, line \d+: ", line)) for line in told) >= 5


SECOND = GOOD[GOOD.index("[[criterion]]") :]


def test_mistakes_between_tables_are_named_with_those_inside_them_each_with_its_line(mistakes):
    third = SECOND.replace("t1.a", "t1.b").replace('task = "t1"', 'task = "t9"')
    fourth = SECOND.replace("t1.a", "t1.c").replace("code", "written").replace("= 2", "= -2")
    assert mistakes(f"points = 7\n{GOOD}{SECOND}{third}{fourth}") == [
        "rubric.toml, line 1: points: expected what the criteria add up to, 4, found 7",
        "rubric.toml, line 19: criterion.id: two criteria have the id 't1.a'",
        "rubric.toml, line 26: criterion.task: names task 't9', which is not a [[task]]",
        "rubric.toml, line 30: criterion, item 4: 'where' is missing: the headings, outer to "
        "inner, that the report has for it",
        "rubric.toml, line 34: criterion.points: expected more than 0, found -2",
    ]


def test_tasks_and_scripts_have_ids_of_their_own(mistakes):
    task = '[[task]]\nid = "t1"\ntitle = "Again"\n'
    script = '[[script]]\nid = "s"\nnames = ["s"]\n'
    assert [line.partition(": ")[2] for line in mistakes(GOOD + task + script + script)] == [
        "task.id: two tasks have the id 't1'",
        "script.id: two scripts have the id 's'",
    ]


def test_a_check_and_no_cue_decides_what_is_code(mistakes):
    cue = '[[criterion.cue]]\ncase = "a"\nasks = "a"\nany = ["a"]\n'
    [line] = mistakes(GOOD + cue)
    assert line.endswith("criterion.cue: cues are for answers; a check decides what is kind 'code'")


@pytest.mark.parametrize("text", ["task = 3\n", "[[task]]\nid = []\n", "criterion = [3]\n"])
def test_what_is_no_table_at_all_is_refused_like_the_rest(mistakes, text):
    top = 'title = "X"\n'
    assert mistakes(top + text)


def test_points_that_add_up_are_right_whatever_binary_fractions_make_of_them(load):
    tenths = "".join(SECOND.replace("t1.a", f"t1.{n}").replace("= 2", "= 0.1") for n in range(3))
    assert load(f"points = 2.3\n{GOOD}{tenths}").possible == 2.3


@pytest.mark.parametrize(
    "rule", ["credit = 0.5", "credit = 0.5\npassed = 1\ncases = ['a']", "credit = 0\npassed = 1"]
)
def test_rules_that_say_too_little_or_too_much_are_refused(rule, mistakes):
    assert "partial" in "\n".join(mistakes(GOOD + "[[criterion.partial]]\n" + rule + "\n"))
