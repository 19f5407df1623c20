"""Rubrics: Home Work 3's is what the course fixed; mistakes are named all at once."""

from __future__ import annotations

import re

import attrs
import pytest

from grader import rubric as rubrics
from grader.checking.observations import SubmissionHandle
from grader.checking.run import run_checks
from grader.errors import UsageError
from grader.records import Kind
from grader.rubric import assignment_folder, assignments, load_rubric

FIXED = {
    "t1.q1": (1.5, "written"), "t1.q2": (1.5, "written"), "t2.table": (1.5, "table"),
    "t2.answer": (1.5, "written"), "t3.detect": (1, "code"), "t3.even": (1, "code"),
    "t3.explain": (1, "written"), "t4.run": (1, "code"), "t4.table": (1, "table"),
    "t4.answer": (1, "written"), "t5.counts": (1.5, "answer"), "t5.relation": (1.5, "written"),
}  # fmt: skip


def test_points_and_kinds_are_those_of_the_course():
    criteria = load_rubric("hw3").criteria
    assert {c.id: (c.points, str(c.kind)) for c in criteria} == FIXED
    assert sum(c.points for c in criteria) == 15


class Silent:
    def forward(self, depth, gpus):
        raise RuntimeError("not asked for real")

    train = forward


@pytest.mark.parametrize("assignment", assignments())
def test_checks_and_rubric_name_the_same_criteria_and_cases(assignment):
    rubric = load_rubric(assignment)
    cases = run_checks(assignment_folder(assignment), SubmissionHandle(Silent()), seconds=60)
    checked = {case.criterion for case in cases}
    assert {c.id for c in rubric.criteria if c.kind is Kind.CODE} <= checked
    assert checked <= {c.id for c in rubric.criteria}
    for criterion in rubric.criteria:
        names = {case.case for case in cases if case.criterion == criterion.id}
        names = names or {cue.case for cue in criterion.cue}
        for rule in criterion.partial:
            assert set(rule.cases or []) < names
            assert (rule.passed or 1) < len(names)


@pytest.mark.parametrize("assignment", assignments())
def test_each_assignment_is_complete(assignment):
    for part in ("rubrics", "reference", "student_template"):
        assert assignment_folder(assignment, part).is_dir()
    assert {"assignment.toml"} <= {
        path.name for path in assignment_folder(assignment, "student_template").iterdir()
    }


def test_no_name_of_the_assignment_occurs_in_the_grader():
    package = rubrics.home() / "grader"
    model = load_rubric("hw3").model
    words = re.compile(rf"{model.class_name}|layer_device|\bDEPTH = 20")
    for path in package.rglob("*.py"):
        assert not words.search(path.read_text("utf-8")), path


def test_an_unknown_assignment_names_the_known_ones():
    with pytest.raises(UsageError, match=r"hw99.*hw3"):
        load_rubric("hw99")


def test_an_assignment_cannot_lead_elsewhere():
    with pytest.raises(UsageError):
        load_rubric("../rubrics/hw3")


@pytest.fixture
def write(tmp_path, monkeypatch):
    """An installation whose only rubric has this text."""

    def with_text(text):
        folder = tmp_path / "rubrics" / "x"
        folder.mkdir(parents=True)
        (folder / "rubric.toml").write_text(text)
        monkeypatch.setattr(rubrics, "home", lambda: tmp_path)

    return with_text


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


def test_a_good_rubric_is_read(write):
    write(GOOD + "[limits]\nforward = 3\n")
    rubric = load_rubric("x")
    assert rubric.limits == attrs.evolve(rubrics.Limits(), forward=3.0)
    assert [t.title for t in rubric.tasks] == ["One"]


@pytest.mark.parametrize(
    ("seconds", "share"),
    [(1, 0.0), (900, 0.0), (901, 0.1), (900 + 86400, 0.1), (901 + 86400, 0.2), (9 * 86400, 0.5)],
)
def test_each_day_begun_after_the_grace_costs_a_share(write, seconds, share):
    write(GOOD + '[late]\nper_day = 0.1\nat_most = 0.5\ngrace = "15 min"\n')
    assert load_rubric("x").late.share(seconds) == share


def test_nothing_is_lost_by_being_late_unless_the_rubric_says_so(write):
    write(GOOD)
    assert load_rubric("x").late is None


def test_mistakes_in_what_late_costs(write):
    write(GOOD + '[late]\nper_day = 10\nat_most = 0\ngrace = "a while"\n')
    with pytest.raises(UsageError) as told:
        load_rubric("x")
    assert [line.partition(": ")[2] for line in str(told.value).splitlines()] == [
        "late.per_day: expected a share up to 1, found 10",
        "late.at_most: expected a share up to 1, found 0",
        "late.grace: expected a time such as '15 min', found 'a while'",
    ]


def test_all_mistakes_are_named_with_their_lines(write):
    bad = GOOD.replace('title = "A"\n', "").replace("points = 2", "points = -1")
    bad = bad.replace('kind = "code"', 'kind = "magic"').replace('title = "X"', 'titel = "X"')
    write(bad + "[[criterion.partial]]\ncredit = 1.5\n[limits]\nforward = 0\n")
    with pytest.raises(UsageError) as told:
        load_rubric("x")
    text = str(told.value)
    for what in ("titel", "title", "points", "magic", "credit", "forward"):
        assert what in text
    assert len(re.findall(r"^rubric\.toml, line \d+", text, re.MULTILINE)) >= 5


def test_mistakes_between_criteria_are_named_together(write):
    second = GOOD[GOOD.index("[[criterion]]") :]
    write(GOOD + second + second.replace("t1.a", "t1.b").replace('task = "t1"', 'task = "t9"'))
    with pytest.raises(UsageError) as told:
        load_rubric("x")
    assert "two criteria have the id 't1.a'" in str(told.value)
    assert "names task 't9'" in str(told.value)


@pytest.mark.parametrize(
    "rule", ["credit = 0.5", "credit = 0.5\npassed = 1\ncases = ['a']", "credit = 0\npassed = 1"]
)
def test_rules_that_say_too_little_or_too_much_are_refused(rule, write):
    write(GOOD + "[[criterion.partial]]\n" + rule + "\n")
    with pytest.raises(UsageError, match="partial"):
        load_rubric("x")
