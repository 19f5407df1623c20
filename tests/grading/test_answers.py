"""Answers are looked for in a task's own report, then in that of the whole hand-in."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from grader import intake
from grader.assignment import find
from grader.checking.expect import NeedsPerson
from grader.grading import answers
from grader.grading.answers import Reports, read_reports
from grader.records import Report, Student, Submission
from grader.rubric import load_rubric

RUBRIC = load_rubric(find("hw3"))
BY_ID = {c.id: c for c in RUBRIC.criteria}

WHOLE = Report("all.pdf", ("Task 1\nQ1\n4 and 2\nTask 3\nI divide i by the depth.\n",))
OWN = Report("one.pdf", ("Ann, homework\n", "Q1) 3 layers each.\nQ2) At x.to().\n"))


def found(reports, criterion):
    report, passage = reports.find(RUBRIC, BY_ID[criterion])
    return report.file, passage and (passage.text, passage.page)


def test_a_task_with_a_report_of_its_own():
    reports = Reports(WHOLE, {"t1": OWN})
    assert found(reports, "t1.q1") == ("one.pdf", ("Q1) 3 layers each.", 2))
    assert found(reports, "t1.q2") == ("one.pdf", ("Q2) At x.to().", 2))
    assert found(reports, "t3.explain")[0] == "all.pdf"
    answer = reports.answer(RUBRIC, "t1.q1")
    assert (answer.text, answer.pages) == ("Q1) 3 layers each.", (2,))


def test_its_own_headings_count():
    named = Report("one.pdf", ("Task 3\nno\nTask 1\nQ1\n3 each\n",))
    assert found(Reports(WHOLE, {"t1": named}), "t1.q1") == ("one.pdf", ("Q1\n3 each", 1))


def test_where_it_says_nothing_the_whole_report_does():
    empty = Report("one.ipynb", problem="one.ipynb holds no text")
    assert found(Reports(WHOLE, {"t1": empty}), "t1.q1")[1] is not None


def test_nothing_anywhere():
    with pytest.raises(NeedsPerson, match="nothing was found under 'Task 2 / Answer'"):
        Reports(WHOLE, {"t1": OWN}).answer(RUBRIC, "t2.answer")


@dataclass
class Read:
    files: list[Path] = field(default_factory=list)

    def __call__(self, launcher, folder, file):
        self.files.append(file)
        return Report(str(file), ("text",))


def test_scripts_are_no_reports(tmp_path, monkeypatch):
    read = Read()
    monkeypatch.setattr(answers.reader, "read_report", read)
    files = {
        "t1": Path("t1.pdf"),
        "t3": Path("t3.py"),
        "t4": Path("t4.ipynb"),
        intake.MODEL: Path("m.ipynb"),
        intake.REPORT: Path("r.pdf"),
    }
    submission = Submission(
        "ann", Student("ann"), tmp_path, tmp_path, reports=(Path("r.pdf"),), files=files
    )
    reports = read_reports(submission, tmp_path, None)
    assert reports.whole.file == "r.pdf"
    assert {task: report.file for task, report in reports.of_tasks.items()} == {
        "t1": "t1.pdf",
        "t4": "t4.ipynb",
    }


def test_only_a_pdf_has_pages_to_name():
    own = Report("one.docx", OWN.pages)
    assert Reports(WHOLE, {"t1": own}).answer(RUBRIC, "t1.q1").pages == ()
