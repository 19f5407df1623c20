"""The report of a class, read back: counts, points, criteria, lists that stay readable."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace

import pypdfium2
import pytest
from scores import criterion, mixed

from grader.records import Outcome, Score, State, Student
from grader.reports import ByHand, ClassFacts, Column, Counted, Section, render_class_pdf
from grader.reports.class_by_hand import effect
from grader.reports.class_criteria import Tally, tally
from grader.reports.histogram import counted

FACTS = ClassFacts.of_scores([mixed()])


def pages(facts: ClassFacts, scores: list[Score], *more: Section) -> list[str]:
    with closing(pypdfium2.PdfDocument(render_class_pdf(facts, scores, more))) as pdf:
        texts = []
        for page in pdf:
            with closing(page), closing(page.get_textpage()) as text:
                texts.append(" ".join(text.get_text_bounded().split()))
        return texts


def text_of(facts: ClassFacts, scores: list[Score], *more: Section) -> str:
    return " ".join(pages(facts, scores, *more))


def score(id_: str, *points: float | None, name: str | None = None, **changes) -> Score:
    """A hand-in with criteria of 2 points each; None waits."""
    criteria = tuple(criterion(f"t{n}.a", 2.0, p) for n, p in enumerate(points))
    return replace(
        mixed(), submission=id_, student=Student(id_, name), criteria=criteria, **changes
    )


def facts(*scores: Score, **more) -> ClassFacts:
    return replace(ClassFacts.of_scores(scores), **more)


# ---------------------------------------------------------------------- the class at a glance


def test_counts_and_points():
    a, b = score("a", 2.0, 1.5), score("b", 2.0, None)
    text = text_of(facts(a, b, missing=(Student("c", "Cem"),)), [a, b])
    assert "2 hand-ins 2 points wait for a person" in text
    assert "graded 2026-05-01 · for the instructor only" in text
    for tile in ("2 graded", "1 all points final", "1 wait for a person", "1 handed in nothing"):
        assert tile in text
    assert "cannot be read" not in text
    assert "Final points: 2.75 on average, median 2.75, from 2 to 3.5 of 4." in text
    assert "1 handed in nothing: Cem (c)." in text


def test_only_the_hand_ins_of_the_class_count():
    a, gone = score("a", 2.0), score("gone", 0.0)
    text = text_of(facts(a, ids=("a", "later")), [a, gone])
    assert "1 still to be graded" in text
    assert "from 2 to 2 of 2" in text


def test_columns_of_points():
    totals = [(0.0, False), (0.5, True), (1.0, False), (14.99, False), (15.0, True)]
    found = counted(totals, 15)
    assert (found.step, len(found.finished)) == (1, 16)
    assert [n for n, count in enumerate(found.finished) if count] == [0, 1, 14]
    assert [n for n, count in enumerate(found.waiting) if count] == [0, 15]
    wide = counted([(100.0, False), (59.9, False)], 100)
    assert wide.step == 5
    assert [n for n, count in enumerate(wide.finished) if count] == [11, 20]
    assert sum(counted([(0.3, False)], 0.5).finished) == 1


def test_the_tally_of_a_criterion():
    provisional = criterion("a", 2.0, 2.0, state=State.PROVISIONAL)
    given = [criterion("a", 2.0, points) for points in (2.0, 2.0, 0.5, 0.0, None)]
    assert tally([*given, provisional]) == Tally(2, 1, 1, 2, 1.125)
    assert tally([provisional]) == Tally(0, 0, 0, 1, None)
    text = text_of(facts(score("a", 2.0, None)), [score("a", 2.0, None)])
    assert "t0.a About t0.a 2 1 · · · 2.00" in text
    assert "t1.a About t1.a 2 · · · 1 –" in text


# ---------------------------------------------------------------------- lists


def test_who_needs_a_look_first():
    ours = score("o", 1.0)
    ours = replace(ours, criteria=(criterion("t0.a", 2.0, None, outcome=Outcome.ERROR),))
    broken = score("b", None, problem="b.zip is a damaged zip")
    odd = score("s", 2.0, suspicions=("hw3.py, line 3: patches torch.allclose", "and more"))
    found = [ours, broken, odd]
    text = text_of(facts(*found), found)
    assert "1 not decided, our fault" in text
    assert "Look first: not decided, our fault" in text
    assert "o t0.a" in text
    assert "b b.zip is a damaged zip" in text
    assert "s hw3.py, line 3: patches torch.allclose (and 1 more)" in text


def test_being_late():
    late = score("late", 2.0, late="handed in 2 d late", late_share=0.25)
    ill = score("ill", 2.0, late="handed in 1 d late", excused="was ill")
    text = text_of(facts(late, ill), [late, ill])
    assert "2 hand-ins are late; by this rubric it costs 0.5 points in all." in text
    assert "late handed in 2 d late −0.5 1.5" in text
    assert "ill handed in 1 d late; excused: was ill 2" in text
    text = text_of(facts(ill), [ill])
    assert "1 hand-in is late; by this rubric it costs nothing." in text


def test_attempts_the_roster_and_what_was_ignored():
    a = score("a", 2.0, name="Ann", ignored=("a/x.pyc: compiled Python",))
    known = facts(
        a,
        attempts={"a": "a_v2 is the latest of 2 attempts; not looked at: a"},
        unlisted=("a",),
        ignored=("notes.txt: no hand-in",),
    )
    text = text_of(known, [a])
    assert "a Ann a_v2 is the latest of 2 attempts; not looked at: a" in text
    assert "1 hand-in is not in the roster: a." in text
    assert "notes.txt: no hand-in a/x.pyc: compiled Python" in text


def test_long_lists_are_cut_and_say_where_the_rest_is():
    many = [score(f"s{n:04}", 2.0, suspicions=("odd",), late="late") for n in range(1000)]
    known = facts(
        *many,
        missing=tuple(Student(f"m{n}", "Somebody") for n in range(300)),
        ignored=tuple(f"{n}: junk" for n in range(500)),
        by_hand=tuple(ByHand(one.submission, "name", "x") for one in many),
    )
    found = pages(known, many)
    text = " ".join(found)
    assert len(found) < 12
    assert "and 985 more, in gradebook.csv" in text
    assert "and 975 more, in gradebook.csv" in text
    assert "and 220 more, in class.json" in text
    assert "and 475 more, in class.json and each score.json" in text
    assert "and 800 more, in class.toml" in text


def test_another_section_stands_behind_what_needs_a_look():
    a = score("a", 2.0, suspicions=("odd",), late="late")
    section = Section(
        "Similar pairs", "Pairs.", (Column("one", 0.5), Column("other", 0.5)), [("s01", "s02")]
    )
    text = text_of(facts(a), [a], section)
    places = [text.index(title) for title in ("Look first", "Similar pairs", "Late")]
    assert places == sorted(places)
    assert "Pairs. one other s01 s02" in text
    assert "Similar" not in text_of(facts(a), [a], Section("Similar pairs"))


def test_text_of_strangers_is_text():
    a = score("<b>&", 2.0, name="<font color=red>", suspicions=("x" * 5000 + "\x00\ud800</para>",))
    known = facts(a, ignored=("<para>\n" * 500,), by_hand=(ByHand("<b>&", "name", "&lt;"),))
    assert "<font color=red>" in text_of(known, [a])


def test_equal_classes_give_equal_bytes():
    assert render_class_pdf(FACTS, [mixed()]) == render_class_pdf(FACTS, [mixed()])
    assert render_class_pdf(FACTS, [])


# ---------------------------------------------------------------------- overrides


LATE = {"late": "handed in 2 d late", "late_share": 0.5}


@pytest.mark.parametrize(
    ("said", "changes", "seen"),
    [
        (ByHand("a", "name", "Ann"), {}, "stands in reports and tables"),
        (ByHand("b", "name", "Ann"), {}, "none yet: nothing was handed in or graded"),
        (ByHand("a", "deadline", "later"), {}, "none: it was in time anyway"),
        (ByHand("a", "deadline", "later"), LATE, "handed in 2 d late"),
        (
            ByHand("a", "deadline", "later", without="handed in 9 d late", costs=0.3),
            {},
            "in time; without it: handed in 9 d late, which would cost 0.6 points",
        ),
        (
            ByHand("a", "deadline", "later", without="handed in 9 d late"),
            {},
            "in time; without it: handed in 9 d late, which costs nothing",
        ),
        (ByHand("a", "excused", "", "ill"), {}, "none: it was in time"),
        (
            ByHand("a", "excused", "", "ill", without="handed in 2 d late", costs=0.5),
            {"late": "handed in 2 d late", "excused": "ill"},
            "handed in 2 d late, which would cost 1 point",
        ),
        (ByHand("a", "files", "model: x.py", criteria=("t0.a",)), {}, "2 of 2 points"),
        (
            ByHand("a", "arguments", "n=1", criteria=("t0.a", "t1.a")),
            {},
            "2 of 4 points; for 2 a person is waited for",
        ),
        (ByHand("a", "files", "report: x.pdf"), {}, "read as said"),
    ],
)
def test_the_effect_of_an_override(said, changes, seen):
    assert effect(said, {"a": score("a", 2.0, None, **changes)}) == seen


@pytest.mark.parametrize(
    ("override", "instead_of", "seen"),
    [
        (True, 0.5, "2 instead of 0.5 points"),
        (True, None, "2 points instead of waiting for a person"),
        (True, 2.0, "none: the checks give as much"),
        (False, None, "none: decided in review.csv since"),
    ],
)
def test_the_effect_of_points(override, instead_of, seen):
    given = criterion("t0.a", 2.0, 2.0, override=override, instead_of=instead_of)
    said = ByHand("a", "points", "t0.a: 2", "told", ("t0.a",))
    assert effect(said, {"a": replace(score("a", 2.0), criteria=(given,))}) == seen


def test_overrides_are_listed_with_their_reasons():
    a = score("a", 2.0)
    known = facts(a, by_hand=(ByHand("a", "name", "Ann", "married"), ByHand("b", "name", "B")))
    text = text_of(known, [a])
    assert "a name Ann married stands in reports and tables" in text
    assert "b name B none yet: nothing was handed in or graded" in text


# ---------------------------------------------------------------------- facts


def test_facts_come_back_from_json():
    known = facts(
        mixed(),
        missing=(Student("m", None),),
        attempts={"a": "note"},
        by_hand=(ByHand("a", "points", "x", "y", ("t1",), "late", 0.1),),
        criteria=(Counted("t1", "One", 1.5),),
    )
    assert ClassFacts.from_json(json.loads(json.dumps(known.to_json()))) == known


@pytest.mark.parametrize("data", [{}, {"schema": 2}, {"schema": 1}, {"schema": 1, "ids": 5}])
def test_other_json_is_refused(data):
    with pytest.raises(ValueError, match=r"expected schema|not what a class rests on"):
        ClassFacts.from_json(data)
