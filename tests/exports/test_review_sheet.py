from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest
from class_scores import a_class, final, score, waiting
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import UsageError
from grader.exports import (
    Decision,
    apply_decisions,
    read_review,
    write_review,
)
from grader.exports.cells import text_cell, typed
from grader.exports.review_sheet import COLUMNS
from grader.records import Kind, Outcome, State


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "review.csv"
    write_review(path, a_class())
    return path


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def fill(path: Path, *cells: tuple[str, str]) -> None:
    """Put (earned, comment) into the rows, top down, as a person would."""
    rows = table(path)
    for row, (earned, comment) in zip(rows, cells, strict=False):
        row |= {"earned": earned, "comment": comment}
    save(path, rows)


def save(path: Path, rows: list[dict[str, str]], separator: str = ",", encoding="utf-8") -> None:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, rows[0].keys(), delimiter=separator)
    writer.writeheader()
    writer.writerows(rows)
    path.write_bytes(text.getvalue().encode(encoding))


def refusal(path: Path) -> str:
    with pytest.raises(UsageError) as caught:
        read_review(path, a_class())
    return str(caught.value)


# ---------------------------------------------------------------------- writing


def test_a_row_for_each_criterion_that_waits(path):
    rows = table(path)
    assert [(r["submission"], r["criterion"]) for r in rows] == [
        ("s01", "t1.q1"),
        ("s01", "t5.counts"),
        ("s02", "t1.q1"),
    ]
    assert rows[0] == {
        "submission": "s01",
        "name": "Õnne Žukova",
        "criterion": "t1.q1",
        "title": "About t1.q1",
        "points": "1.5",
        "question": "At DEPTH 6: 3 and 3.",
        "evidence": "a person reads it",
        "found": "Q1) 3 and 3 / because 6 // 2 = 3",
        "in common": "",
        "suggested": "",
        "earned": "",
        "comment": "",
    }


def test_pages_that_a_person_must_see_are_named(tmp_path):
    read, ran = waiting("t1.q1", 1.5), replace(waiting("t3.even", 1.0), kind=Kind.CODE)
    write_review(tmp_path / "review.csv", [score("s01", None, read, ran, pages=("page-2.jpg",))])
    told = [row["evidence"] for row in table(tmp_path / "review.csv")]
    assert told == ["a person reads it. Pages to see: s01/page-2.jpg.", "a person reads it"]


def test_the_place_stands_with_the_evidence(tmp_path):
    [student, *_] = a_class()
    found = (replace(c, where="“It is slow.” (page 2)") for c in student.criteria)
    write_review(tmp_path / "review.csv", [replace(student, criteria=tuple(found))])
    [first, *_] = table(tmp_path / "review.csv")
    assert first["evidence"] == "a person reads it (“It is slow.” (page 2))"


def test_one_line_per_row_so_that_line_numbers_are_row_numbers(path):
    assert path.read_bytes().count(b"\n") == 4


# ---------------------------------------------------------------------- the round trip


def test_an_untouched_sheet_decides_nothing(path):
    assert read_review(path, a_class()) == []


def test_points_and_comments_come_back(path):
    fill(path, ("1.5", "Good."), ("", ""), ("0", "- no report"))
    assert read_review(path, a_class()) == [
        Decision("s01", "t1.q1", 1.5, "Good."),
        Decision("s02", "t1.q1", 0.0, "- no report"),
    ]


def test_decided_points_are_final(path):
    fill(path, ("1.5", "Good."), ("0.75", ""), ("0", ""))
    first, second = apply_decisions(a_class(), read_review(path, a_class()))
    assert [(c.earned, c.state, c.outcome, c.comment) for c in first.criteria] == [
        (1.5, State.FINAL, Outcome.PASSED, "Good."),
        (1.0, State.FINAL, Outcome.PASSED, None),
        (0.75, State.FINAL, Outcome.PARTIAL, ""),
    ]
    assert (first.total, first.pending) == (3.25, 0.0)
    assert second.criteria[0].outcome is Outcome.FAILED


def test_what_was_decided_stays_in_the_sheet_and_can_be_corrected(path):
    fill(path, ("1.5", "=Good"), ("", ""), ("", ""))
    scores = apply_decisions(a_class(), read_review(path, a_class()))
    write_review(path, scores)
    rows = table(path)
    assert [r["earned"] for r in rows] == ["", "", "1.5"]
    assert read_review(path, scores) == [Decision("s01", "t1.q1", 1.5, "=Good")]
    assert apply_decisions(scores, read_review(path, scores)) == scores  # twice is once

    fill(path, ("", ""), ("", ""), ("1", "Read again."))
    corrected = apply_decisions(scores, read_review(path, scores))
    assert corrected[0].criteria[0].earned == 1.0


def test_emptying_a_decided_row_changes_nothing(path):
    fill(path, ("1.5", "Good."))
    scores = apply_decisions(a_class(), read_review(path, a_class()))
    write_review(path, scores)
    fill(path, ("", ""), ("", ""), ("", ""))
    assert apply_decisions(scores, read_review(path, scores)) == scores


def test_a_comment_alone_is_kept_while_the_points_wait(path):
    fill(path, ("", "ask in class"))
    scores = apply_decisions(a_class(), read_review(path, a_class()))
    assert scores[1].criteria[0].state is State.PENDING
    write_review(path, scores)
    assert (table(path)[0]["earned"], table(path)[0]["comment"]) == ("", "ask in class")


def test_a_decision_that_the_scores_do_not_know_is_refused():
    with pytest.raises(ValueError, match="t9"):
        apply_decisions(a_class(), [Decision("s01", "t9", 1.0)])
    with pytest.raises(ValueError, match="made final by the checks"):
        apply_decisions(a_class(), [Decision("s01", "t3.even", 0.0)])


@pytest.mark.parametrize("id_", ["=evil", "-1", "a;b", 'x "y" z', "Õnne 1", "'quoted'"])
def test_any_submission_id_finds_its_way_back(tmp_path, id_):
    scores = [score(id_, None, waiting("t1", 1))]
    write_review(tmp_path / "r.csv", scores)
    fill(tmp_path / "r.csv", ("1", ""))
    assert read_review(tmp_path / "r.csv", scores) == [Decision(id_, "t1", 1.0)]


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=40))
def test_a_guarded_cell_reads_as_it_was_typed(text):
    plain = text.strip().replace(";", "")
    assert typed(text_cell(plain)) == plain


# ---------------------------------------------------------------------- what spreadsheets do


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("earned", ["0.75", "0,75", " 0.75 "])
def test_as_spreadsheets_save_it(path, separator, encoding, earned):
    rows = table(path)
    rows[0] |= {"earned": earned, "comment": "kena töö; väga"}
    save(path, rows, separator, encoding)
    assert read_review(path, a_class()) == [Decision("s01", "t1.q1", 0.75, "kena töö; väga")]


def test_columns_in_another_order_and_case_with_some_left_out(path):
    path.write_text("Comment,EARNED,Criterion,Submission\nok,1,t1.q1,s02\n,,,\n")
    assert read_review(path, a_class()) == [Decision("s02", "t1.q1", 1.0, "ok")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_and_comments_over_several_lines(path, end):
    rows = ["submission,criterion,earned,comment", 's01,t1.q1,1,"two', 'lines"', "s02,t1.q1,9,"]
    path.write_bytes(end.join(rows).encode())
    assert "line 4: earned: expected 0 to 1.5, found 9" in refusal(path)
    path.write_bytes(end.join(rows[:3]).encode())
    (decision,) = read_review(path, a_class())
    assert decision.comment.split() == ["two", "lines"]


# ---------------------------------------------------------------------- what does not fit


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("s03,t1.q1,1,", "line 2: unknown submission 's03'; did you mean 's0"),
        ("s01,t1.q7,1,", "line 2: unknown criterion 't1.q7' of s01; did you mean 't1.q1'?"),
        ("s01,t1.q1,one,", "line 2: earned: expected a number from 0 to 1.5, found 'one'"),
        ("s01,t1.q1,1.mai,", "found '1.mai'"),
        ("s01,t1.q1,05.01.2026,", "did the spreadsheet make a date of it?"),
        ("s01,t1.q1,nan,", "expected a number from 0 to 1.5, found 'nan'"),
        ("s01,t1.q1,-1,", "line 2: earned: expected 0 to 1.5, found -1"),
        ("s01,t1.q1,1.75,", "line 2: earned: expected 0 to 1.5, found 1.75"),
        ('s01,t1.q1,"1,75",', "found 1,75"),
        ("s01,t3.even,0,", "t3.even of s01 does not wait for a person: the checks gave 1 of 1"),
        ("s01,t1.q1,0,75,", "line 2: expected 4 cells, found 5; put quotes around"),
        ('s01,t1.q1,1,"open', "not readable as CSV"),
    ],
)
def test_a_row_that_does_not_fit_is_refused_with_its_line(path, row, said):
    path.write_text(f"submission,criterion,earned,comment\n{row}\n")
    assert said in refusal(path)


def test_all_problems_are_told_at_once(path):
    path.write_text(
        "submission;criterion;earned;comment\n"
        "s01;t1.q1;1;first\ns01;t1.q1;0;again\nnobody;t1.q1;1;\ns02;t1.q1;x;\n"
    )
    lines = refusal(path).splitlines()
    assert "3 lines do not fit, nothing was taken over" in lines[0]
    assert lines[1] == "  line 3: s01 t1.q1 is already in line 2"
    assert lines[2].startswith("  line 4: unknown submission 'nobody'")
    assert lines[3].startswith("  line 5: earned: expected a number")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1: no column submission, criterion, earned, comment"),
        ("submission,criterion,comment\n", "line 1: no column earned"),
        ("submission,criterion,earned,earned,comment\n", "line 1: two columns earned"),
    ],
)
def test_a_header_that_does_not_fit(path, text, said):
    path.write_text(text)
    assert said in refusal(path)


def test_a_file_that_is_not_there_or_no_text(path, tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        read_review(tmp_path / "none.csv", a_class())
    path.write_bytes(b"submission,criterion,earned,comment\ns01,t1.q1,1,\xff\n")
    assert "line 2; expected UTF-8 text" in refusal(path)


def test_the_columns_are_as_documented(path):
    assert tuple(table(path)[0]) == COLUMNS


def test_an_override_counts_as_a_persons_decision(tmp_path):
    given_by_hand = replace(final("t3.even", 1, 1.0), comment="excused")
    write_review(tmp_path / "r.csv", [score("s01", "A", given_by_hand)])
    assert table(tmp_path / "r.csv")[0]["comment"] == "excused"


# ---------------------------------------------------------------------- suggestions


def with_a_suggestion():
    suggested = replace(waiting("t1.q1", 1.5), earned=0.75, state=State.PROVISIONAL)
    return [score("s01", "Ann", suggested, waiting("t1.q2", 1.5))]


def test_a_suggestion_is_taken_by_ok(path):
    write_review(path, with_a_suggestion())
    [first, second] = table(path)
    assert (first["suggested"], first["earned"], second["suggested"]) == ("0.75", "", "")
    fill(path, ("OK", ""))
    [decision] = read_review(path, with_a_suggestion())
    assert decision.earned == 0.75


def test_ok_where_nothing_is_suggested_is_refused(path):
    write_review(path, with_a_suggestion())
    fill(path, ("", ""), ("ok", ""))
    with pytest.raises(UsageError, match="nothing is suggested; expected a number from 0 to"):
        read_review(path, with_a_suggestion())
