"""What two hand-ins have in common: a list of its own, and a remark beside a copied table."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from class_scores import score, waiting

from grader.errors import UsageError
from grader.exports import Decision, apply_decisions, read_review, write_review, write_similar
from grader.records import CriterionScore, InCommon, Kind, Likeness, Outcome, Score, State

TABLE = InCommon(
    "s01",
    "=s02",
    Likeness.TABLE,
    "3 times",
    (1.0, 0.745),
    ("report, page 1", "report, page 2"),
    "3.917 ms, 7.804 ms, 15.52 ms",
    (("t2.table",), ("t2.table",)),
)
CODE = InCommon("s01", "=s02", Likeness.CODE, "9 lines", (0.9, 0.9), ("a.py", "b.py"))


def a_class() -> list[Score]:
    table = CriterionScore(
        "t2.table", 1.5, 1.5, State.PROVISIONAL, Outcome.PASSED, "seen", kind=Kind.TABLE
    )
    return [score(id_, None, table, waiting("t2.answer", 1.5)) for id_ in ("s01", "=s02", "s03")]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def fill(path: Path, earned: str) -> None:
    cells = rows(path)
    for row in cells:
        if row["criterion"] == "t2.table":
            row["earned"] = earned
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, cells[0])
        writer.writeheader()
        writer.writerows(cells)


def test_a_row_says_who_what_how_much_and_where(tmp_path):
    path = tmp_path / "similar.csv"
    write_similar(path, [CODE, TABLE], {"s01": "Õnne", "=s02": None})
    code, table = rows(path)
    assert (code["in common"], code["how much"], code["what"]) == ("code", "9 lines", "")
    assert table == {
        "first": "s01",
        "first name": "Õnne",
        "second": "'=s02",
        "second name": "",
        "in common": "table",
        "how much": "3 times",
        "of first": "100%",
        "of second": "74%",
        "in first": "report, page 1",
        "in second": "report, page 2",
        "what": "3.917 ms, 7.804 ms, 15.52 ms",
    }


def test_a_list_of_nothing_has_its_head(tmp_path):
    write_similar(tmp_path / "similar.csv", [], {})
    assert (tmp_path / "similar.csv").read_text("utf-8-sig").startswith("first,first name,second,")


def test_a_copied_table_says_whose_it_is_too_and_nothing_is_suggested_for_it(tmp_path):
    write_review(tmp_path / "review.csv", a_class(), in_common=[CODE, TABLE])
    told = {(row["submission"], row["criterion"]): row for row in rows(tmp_path / "review.csv")}
    copied = told["s01", "t2.table"]
    assert copied["in common"] == f"'=s02 has the same times, to the last digit ({TABLE.what})"
    assert told["'=s02", "t2.table"]["in common"].startswith("s01 has the same times")
    assert copied["suggested"] == told["'=s02", "t2.table"]["suggested"] == ""
    assert told["s03", "t2.table"]["suggested"] == "1.5"
    assert [row["in common"] for row in told.values()].count("") == 4


def test_ok_is_no_answer_to_it_but_points_are(tmp_path):
    path = tmp_path / "review.csv"
    write_review(path, a_class(), in_common=[TABLE])
    fill(path, "ok")
    with pytest.raises(UsageError) as refused:
        read_review(path, a_class(), [TABLE])
    assert "2 lines do not fit" in str(refused.value)
    assert "s01 has the same times, to the last digit" in str(refused.value)
    assert len(read_review(path, a_class())) == 3  # all, had nobody the same
    fill(path, "1.5")
    decisions = read_review(path, a_class(), [TABLE])
    assert decisions[0] == Decision("s01", "t2.table", 1.5)
    decided = apply_decisions(a_class(), decisions)
    write_review(path, decided, in_common=[TABLE])
    fill(path, "ok")  # to what is decided
    assert apply_decisions(decided, read_review(path, decided, [TABLE]))[0].earned == 1.5
