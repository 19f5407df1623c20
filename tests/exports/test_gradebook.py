from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest
from class_scores import a_class, final, score, waiting

from grader.exports import write_gradebook
from grader.records import State


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_one_row_per_submission_by_id(tmp_path):
    path = tmp_path / "gradebook.csv"
    write_gradebook(path, a_class())
    first, second = table(path)
    assert first == {
        "id": "s01",
        "name": "Õnne Žukova",
        "total": "1",
        "possible": "4",
        "pending": "3",
        "t1.q1": "",
        "t3.even": "1",
        "t5.counts": "",
        "late points": "",
        "late": "",
        "problem": "",
        "to look at": "",
    }
    assert second["name"] == "王小明"
    assert (second["total"], second["t3.even"], second["t5.counts"]) == ("0.5", "0.5", "")
    assert (second["late"], second["problem"]) == ("2 h late", "no report")


def test_points_lost_by_being_late_stand_by_themselves(tmp_path):
    late = {"late": "2 h late", "late_share": 0.25}
    lost = score("s01", "A", final("a", 2, 1.5), final("b", 1, 1.0), waiting("c", 1), **late)
    excused = score("s02", "B", final("a", 2, 2.0), late="2 h late", excused="was ill")
    write_gradebook(tmp_path / "g.csv", [lost, excused])
    first, second = table(tmp_path / "g.csv")
    assert (first["a"], first["b"], first["late points"]) == ("1.5", "1", "-0.62")
    assert (first["total"], first["late"]) == ("1.88", "2 h late")
    assert (second["total"], second["late points"]) == ("2", "")
    assert second["late"] == "2 h late; excused: was ill"


def test_excel_is_told_that_it_is_utf8(tmp_path):
    write_gradebook(tmp_path / "g.csv", a_class())
    assert (tmp_path / "g.csv").read_bytes().startswith(b"\xef\xbb\xbfid,name,total")


def test_equal_results_give_equal_bytes_whatever_the_time(tmp_path):
    later = [
        replace(s, graded_at="2027-01-01T00:00:00+00:00", observations=({"losses": [1.0]},))
        for s in reversed(a_class())
    ]
    write_gradebook(tmp_path / "one.csv", a_class())
    write_gradebook(tmp_path / "two.csv", later)
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()


def test_a_suggestion_does_not_count(tmp_path):
    suggested = replace(waiting("t1.q1", 1.5), earned=1.5, state=State.PROVISIONAL)
    write_gradebook(tmp_path / "g.csv", [score("s01", "A", suggested, final("t3.even", 1, 1.0))])
    (row,) = table(tmp_path / "g.csv")
    assert (row["t1.q1"], row["total"], row["pending"]) == ("", "1", "1.5")


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "  =1", "＝1", "'=1"])
def test_a_name_never_becomes_a_formula(tmp_path, name):
    write_gradebook(tmp_path / "g.csv", [score("s01", name, final("a", 1, 1.0))])
    (row,) = table(tmp_path / "g.csv")
    assert row["name"] == f"'{name.strip()}"


def test_no_text_breaks_the_rows(tmp_path):
    name = 'a,"b"\r\nc\x00\ud800;=cmd'
    write_gradebook(tmp_path / "g.csv", [score("s01", name, final("a", 1, 1.0))])
    (row,) = table(tmp_path / "g.csv")
    assert row["name"] == 'a,"b" / c  ;\'=cmd'
    assert (tmp_path / "g.csv").read_bytes().count(b"\n") == 2


def test_what_a_person_may_look_at_is_named(tmp_path):
    lines = ("hw3.py, line 12: replaces torch.allclose", "a.py, line 1: starts another program")
    write_gradebook(tmp_path / "g.csv", [score("s01", "A", final("a", 1, 1.0), suspicions=lines)])
    (row,) = table(tmp_path / "g.csv")
    assert row["to look at"] == "; ".join(lines)
    assert row["total"] == "1"


def test_an_empty_class_is_a_header(tmp_path):
    write_gradebook(tmp_path / "g.csv", [])
    assert table(tmp_path / "g.csv") == []
