"""Real reports, of every form: whether each answer is found, and no other."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from grader import assignment
from grader.grading.answers import asked as words_of
from grader.intake import Asked, Passage, Table, find_passage, tables_in
from grader.intake.report_reader import read
from grader.records import Report
from grader.rubric import load_rubric

HERE = Path(__file__).parent / "reports"
REFERENCE = Path(__file__).parents[2] / "reference" / "hw3"

#: Where each answer stands, what it says, and what belongs to its neighbours.
ANSWERS: dict[tuple[str, ...], tuple[list[str], list[str]]] = {
    ("Task 1", "Q1"): (["gets 3 layers (0, 1, 2)"], ["Just before that layer", "Table"]),
    ("Task 1", "Q2"): (["Just before that layer", "once per forward"], ["(0, 1, 2)", "DEPTH |"]),
    ("Task 2", "Table"): (
        ["| DEPTH | Step time (s) |", "| 6 | 0.810 |", "| 12 | 1.609 |", "| 24 | 3.938 |"],
        ["once per forward", "memory per GPU (MiB)"],
    ),
    ("Task 2", "Answer"): (["No, more layers do not", "not speed."], ["Layer i goes", "Q2"]),
    ("Task 3",): (["def __init__", "Layer i goes to GPU", "2, 3, 2, 2."], ["not speed", "1282.3"]),
    ("Task 4", "Table"): (
        ["memory per GPU (MiB) |", "| 5 GPUs | 3.497 | 514.1, 515.1, 515.1, 515.1, 517.1 |"],
        ["Layer i goes", "cuda:0"],
    ),
    ("Task 4", "Answer"): (["Yes, all GPUs are utilized", "517 MiB."], ["Layer i", "borders"]),
    ("Task 5",): (["with 2 GPUs: 1", "with 5 GPUs: 4", "GPUs - 1 borders"], ["utilized"]),
    ("Task 5", "Answer"): (["GPUs - 1 borders", "stays the same."], ["with 5 GPUs: 4"]),
}

FORMS = [
    REFERENCE / "report.pdf",
    REFERENCE / "report.md",
    *(HERE / name for name in ("latex.pdf", "two_columns.pdf", "browser.pdf", "unruled.pdf")),
    *(HERE / name for name in ("libreoffice.pdf", "word.docx", "page.html", "notebook.ipynb")),
]


@cache
def report_in(path: Path) -> Report:
    found = read(path)
    assert "problem" not in found
    return Report(path.name, tuple(found["pages"]))


@cache
def asked() -> Asked:
    return words_of(load_rubric(assignment.find("hw3")))


def find(report: Report, where: tuple[str, ...]) -> Passage:
    found = find_passage(report, where, asked())
    assert found is not None
    return found


def test_every_answer_of_the_rubric_is_looked_for() -> None:
    assert set(ANSWERS) == {
        tuple(c.where) for c in load_rubric(assignment.find("hw3")).criteria if c.where
    }


@pytest.mark.parametrize("where", ANSWERS, ids=" ".join)
@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.name)
def test_every_answer_is_found_and_no_other(path: Path, where: tuple[str, ...]) -> None:
    found = find(report_in(path), where)
    said = found.text.replace("**", "").replace("`", "").replace("\n", " ")
    own, others = ANSWERS[where]
    assert [words for words in own if words not in said] == []
    assert [words for words in others if words in said] == []
    assert found.exact


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.name)
def test_the_tables_are_data(path: Path) -> None:
    (of_depth,) = tables_in(find(report_in(path), ("Task 2", "Table")).text)
    assert numbers(of_depth, "depth") == [[6], [12], [24]]
    assert numbers(of_depth, "time") == [[0.810], [1.609], [3.938]]
    (of_gpus,) = tables_in(find(report_in(path), ("Task 4", "Table")).text)
    assert numbers(of_gpus, "gpus") == [[2], [5]]
    assert numbers(of_gpus, "time") == [[3.149], [3.497]]
    assert numbers(of_gpus, "memory") == [[1282.3, 1285.3], [514.1, 515.1, 515.1, 515.1, 517.1]]


def numbers(table: Table, kind: str) -> list[list[float]]:
    column = table.column(kind)
    assert column is not None
    return [[quantity.value for quantity in cell.quantities] for cell in column.cells]


def test_answers_are_found_on_their_pages() -> None:
    report = report_in(HERE / "latex.pdf")
    pages = {where: find(report, where).page for where in ANSWERS}
    assert pages[("Task 1", "Q1")] == 1
    assert pages[("Task 4", "Table")] == 2
    assert pages[("Task 5", "Answer")] == 3


def test_words_are_whole_in_latex() -> None:
    for name in ("latex.pdf", "two_columns.pdf"):
        text = report_in(HERE / name).text
        assert "efficient workflow" in text.replace("effi-\ncient", "efficient")
        assert "after five to warm up" in text.replace("\n", " ")


@pytest.mark.parametrize(
    ("where", "own"),
    [
        (("Task 1", "Q1"), "GPU 0 peale 3 kihti"),
        (("Task 1", "Q2"), "vahetult enne"),
        (("Task 2", "Table"), "| 24 | 1 039,4 |"),
        (("Task 2", "Answer"), "üksteise järel"),
        (("Task 3",), "Kiht i läheb"),
        (("Task 4", "Table"), "| 5 | 3,497 | 514,1 |"),
        (("Task 4", "Answer"), "korraga töötab ainult üks"),
        (("Task 5",), "Ülekandeid 5 GPU-ga: 4"),
        (("Task 5", "Answer"), "miinus üks"),
    ],
)
def test_a_report_in_estonian(where: tuple[str, ...], own: str) -> None:
    found = find(report_in(HERE / "estonian.pdf"), where)
    assert own in found.text.replace("\n", " ")
    assert found.exact
    assert len(found.text) < 500


def test_a_scan_is_for_a_person() -> None:
    assert read(HERE / "scan.pdf") == {
        "problem": "scan.pdf holds pictures but no text (a scan or screenshots?); "
        "a person must read it",
        "to_see": [1, 2, 3],
    }
