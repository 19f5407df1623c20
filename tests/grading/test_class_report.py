"""The report of a class is there after each run, and written again only where it says more."""

import json

import pypdfium2
import pytest
from test_resume import Class

from grader.errors import InternalError
from grader.grading import class_report, results
from grader.records import Similar


@pytest.fixture
def a_class(tmp_path):
    a_class = Class(tmp_path)
    for id_ in ("ann", "ben"):
        a_class.hand_in(id_)
    return a_class


def text_of(a_class):
    with pypdfium2.PdfDocument(a_class.out / "class.pdf") as pdf:
        pages = [page.get_textpage().get_text_bounded() for page in pdf]
    return " ".join(" ".join(pages).split())


def written(a_class):
    return (a_class.out / "class.pdf").stat().st_mtime_ns


def test_it_is_written_where_it_says_more(a_class):
    printed = a_class.grade()
    assert "Reports, class.pdf and gradebook.csv are in" in printed
    text, first = text_of(a_class), written(a_class)
    assert "2 hand-ins" in text
    assert "t3.even Layers are spread evenly 1 2 · · · 1.00" in text
    a_class.grade(kind="refused")
    assert written(a_class) == first

    a_class.hand_in("ben", "failed")
    a_class.grade()
    assert "t3.even Layers are spread evenly 1 1 · 1 · 0.50" in text_of(a_class)
    (a_class.folder / "class.toml").write_text('roster = "roster.csv"\n')
    (a_class.folder / "roster.csv").write_text("id,name\nann,Ann\ncem,Cem\n")
    a_class.grade(kind="refused")
    text = text_of(a_class)
    assert "1 handed in nothing: Cem (cem). 1 hand-in is not in the roster: ben." in text


def test_overrides_are_listed_with_what_came_of_them(a_class):
    (a_class.folder / "class.toml").write_text(
        """deadline = 2020-01-01
[overrides.ann]
name = "Ann Other"
reason = "asked in person"
deadline = 2120-01-01
files = { model = "hw3.py", t4 = "hw3.py", t1 = "hw3.py", report = "hw3.py" }
arguments = { n = "$depth", hidden = 64 }
points."t1.q1" = { earned = 1, reason = "told" }
points."t3.even" = { earned = 0.5, reason = "half of it" }
[overrides.ben]
excused = "was ill"
"""
    )
    a_class.grade()
    text = text_of(a_class)
    for line in (
        "ann name Ann Other asked in person stands in reports and tables",
        "ann deadline until 2120-01-01 23:59 asked in person in time; without it: handed in",
        "ann files model: hw3.py asked in person 1.5 of 2 points",
        "ann files t4: hw3.py asked in person 1 of 1 point",
        "ann arguments n=depth, hidden=64 asked in person 2.5 of 3 points",
        "ann points t1.q1: 1 told 1 point instead of waiting for a person",
        "ann points t3.even: 0.5 half of it 0.5 instead of 1 point",
        "ben excused loses nothing by being late was ill handed in",
    ):
        assert line in text


def test_what_a_person_confirms_is_counted_again(a_class):
    (a_class.folder / "class.toml").write_text('roster = "roster.csv"\n')
    (a_class.folder / "roster.csv").write_text("id,name\nann,Ann\nben,Ben\ncem,Cem\n")
    a_class.grade()
    assert "t1.q1 Layers per GPU of the base code 1.5 · · · 2 –" in text_of(a_class)
    a_class.fill_in({("ann", "t1.q1"): ("1.5", "")})
    a_class.confirm()
    text = text_of(a_class)
    assert "t1.q1 Layers per GPU of the base code 1.5 1 · · 1 1.50" in text
    assert "1 handed in nothing: Cem (cem)." in text
    tables = a_class.tables()
    a_class.grade(kind="refused")
    assert a_class.tables() == tables


def test_what_is_not_ours_is_written_anew(a_class):
    a_class.grade()
    text = text_of(a_class)
    for found in (b"", b"[]", b"\xff", json.dumps({"schema": 99}).encode()):
        (a_class.out / "class.json").write_bytes(found)
        a_class.confirm()
        assert text_of(a_class) == text
    (a_class.out / "class.json").unlink()
    a_class.grade(kind="refused")
    assert text_of(a_class) == text


def test_a_report_that_cannot_be_written_costs_nothing_else(a_class):
    (a_class.out / "class.pdf").mkdir(parents=True)
    printed = a_class.grade(code=1)
    assert "class.pdf could not be made; found IsADirectoryError" in printed
    assert "2 hand-ins graded." in printed
    assert a_class.score("ann")["total"] == 3
    assert len(a_class.review()) == 18
    with pytest.raises(InternalError, match=r"class\.pdf could not be made"):
        class_report.rewrite(a_class.out, list(results.stored(a_class.out)), Similar())
