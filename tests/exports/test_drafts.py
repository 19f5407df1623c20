"""What a person typed into the review sheet, and decided, when hand-ins are graded anew."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest
from class_scores import a_class, final, score, waiting

from grader.exports import carry_decisions, read_filled_in, write_review
from grader.records import State

FIRST, SECOND, THIRD = ("s01", "t1.q1"), ("s01", "t5.counts"), ("s02", "t1.q1")


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "review.csv"
    write_review(path, a_class())
    return path


def table(path: Path) -> dict[tuple[str, str], tuple[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    return {(r["submission"], r["criterion"]): (r["earned"], r["comment"]) for r in rows}


def fill(path: Path, cells: dict[tuple[str, str], tuple[str, str]]) -> None:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        place = row["submission"], row["criterion"]
        row["earned"], row["comment"] = cells.get(place, ("", ""))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def test_a_sheet_that_nobody_touched_holds_nothing(path, tmp_path):
    found = read_filled_in(path)
    assert (found.rows, found.unclear) == ({}, False)
    assert not read_filled_in(tmp_path / "none.csv").rows


def test_what_was_typed_goes_into_the_next_sheet_as_it_is(path):
    typed = {FIRST: ("1,25", "nearly"), THIRD: ("perhaps 1", "")}
    fill(path, typed)
    drafts = read_filled_in(path).drafts(a_class())
    assert write_review(path, a_class(), drafts) == set()
    assert {place: cells for place, cells in table(path).items() if any(cells)} == typed


def test_what_was_typed_for_other_points_or_another_criterion_fits_nowhere(path):
    fill(path, {FIRST: ("1", ""), SECOND: ("1", ""), THIRD: ("0", "")})
    drafts = read_filled_in(path).drafts(a_class())
    first, second = a_class()
    changed = replace(first, criteria=(waiting("t1.q1", 2.0), final("t5.counts", 1.5, 1.5)))
    assert write_review(path, [changed, second], drafts) == {FIRST, SECOND}
    assert table(path) == {FIRST: ("", ""), THIRD: ("0", "")}


def test_a_recorded_decision_is_no_draft(path):
    first, second = a_class()
    decided = first.criteria[0].decided(1.25, "nearly")
    scores = [replace(first, criteria=(decided,)), second]
    fill(path, {FIRST: ("1,25", "nearly"), THIRD: ("1", "")})
    assert set(read_filled_in(path).drafts(scores)) == {THIRD}
    fill(path, {FIRST: ("1.5", "nearly")})
    assert set(read_filled_in(path).drafts(scores)) == {FIRST}


def test_sheets_are_set_aside_one_beside_the_other(path):
    for number in (1, 2):
        fill(path, {FIRST: (str(number), "")})
        found = read_filled_in(path)
        assert found.concerns({"s01"})
        assert not found.concerns({"s02"})
        kept = found.set_aside()
        assert kept == path.parent / f"review.kept-{number}.csv"
        assert kept.read_bytes() == path.read_bytes()


def test_a_sheet_that_cannot_be_read_is_somebodys_work_all_the_same(path):
    path.write_bytes(b"\xff\x00 not a table")
    found = read_filled_in(path)
    assert found.unclear
    assert found.set_aside().read_bytes() == path.read_bytes()


# ---------------------------------------------------------------------- a new result


def graded(criterion, submission="a"):
    return score("s01", "A", criterion, made_from={"submission": submission})


def carried(old, new, submission="a"):
    [criterion] = carry_decisions(graded(old), graded(new, submission)).criteria
    return criterion


def test_a_decision_stays_where_all_is_as_it_was():
    old = waiting("t1.q1", 1.5, found="3 and 3").decided(1.25, "nearly")
    kept = carried(old, waiting("t1.q1", 1.5, found="3 and 3", question="asked otherwise"))
    assert (kept.earned, kept.comment, kept.state) == (1.25, "nearly", State.FINAL)


@pytest.mark.parametrize(
    ("new", "submission"),
    [
        (waiting("t1.q1", 2.0), "a"),
        (waiting("t1.q1", 1.5, found="4 and 2"), "a"),
        (waiting("t1.q1", 1.5), "b"),
    ],
)
def test_else_it_waits_again_and_the_decision_is_shown(new, submission, tmp_path):
    old = waiting("t1.q1", 1.5).decided(1.25, "nearly")
    again = carried(old, new, submission)
    assert (again.earned, again.comment, again.state) == (None, None, State.PENDING)
    assert again.earlier == "1.25 of 1.5 points: nearly"
    write_review(tmp_path / "review.csv", [graded(again)])
    assert "Decided before: 1.25 of 1.5 points: nearly" in (tmp_path / "review.csv").read_text()
    assert carried(again, waiting("t1.q1", 3.0)).earlier == again.earlier
    assert again.decided(1.0, "").earlier is None


def test_a_comment_without_points_stays():
    commented = replace(waiting("t1.q1", 1.5), comment="ask her")
    assert carried(commented, waiting("t1.q1", 1.5)).comment == "ask her"


def test_what_the_checks_or_class_toml_say_now_stands():
    old = waiting("t3.even", 1).decided(0.5, "by eye")
    assert carried(old, final("t3.even", 1, 1.0)).earned == 1.0
    override = replace(waiting("t3.even", 1).decided(0.5, "excused"), override=True)
    now = carried(override, waiting("t3.even", 1))
    assert (now.earned, now.earlier) == (None, None)
