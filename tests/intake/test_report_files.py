from __future__ import annotations

import json
from pathlib import Path

import pytest

from grader.intake.report_files import report_files, report_notes

ANSWERS = "Task 1\nQ1) 3 and 3\nTask 2\nslower"
BOOK = json.dumps({"cells": [{"cell_type": "markdown", "source": ANSWERS}]})
PARTS = json.dumps({"cells": [{"cell_type": "markdown", "source": "## Part 1\n## Part 2"}]})
CODE = json.dumps({"cells": [{"cell_type": "code", "source": "# Task 1, Task 2"}]})


def found(folder: Path, **files: str) -> tuple[list[str], list[str]]:
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    paths = sorted(Path(name) for name in files)
    reports = report_files(folder, paths, "hw3")
    return [str(file) for file in reports], report_notes(paths, reports)


@pytest.mark.parametrize(
    ("files", "reports"),
    [
        ({"a.pdf": "x"}, ["a.pdf"]),
        ({"report.docx": "x", "report.pdf": "x"}, ["report.pdf", "report.docx"]),
        ({"report.docx": "x", "lecture 8.pdf": "xxx"}, ["report.docx", "lecture 8.pdf"]),
        ({"hw3.pdf": "x", "report.docx": "x"}, ["hw3.pdf", "report.docx"]),
        ({"README.md": "How to run this: python hw3.py"}, []),
        ({"README.md": ANSWERS}, ["README.md"]),
        ({"README.md": "Run it.", "answers.txt": "3 and 3"}, ["answers.txt"]),
        ({"requirements.txt": "torch==2.13.0", "log.txt": "step 1 step 2 GPU 0 GPU 1"}, []),
        ({"onlinetext.html": "<p>Task 1</p><p>Task 2</p>"}, ["onlinetext.html"]),
        ({"onlinetext.html": "<p>See the file.</p>"}, []),
        ({"hw3.ipynb": BOOK}, ["hw3.ipynb"]),
        ({"hw3.ipynb": CODE}, []),
        ({"hw3.ipynb": PARTS}, ["hw3.ipynb"]),
        ({"hw3.ipynb": BOOK, "kodutöö.docx": "x"}, ["hw3.ipynb", "kodutöö.docx"]),
        ({"töö.txt": "1. ülesanne\n1. küsimus: 3 ja 3"}, ["töö.txt"]),
        ({"report.doc": "x"}, []),
    ],
)
def test_which_file_is_the_report(
    tmp_path: Path, files: dict[str, str], reports: list[str]
) -> None:
    assert found(tmp_path, **files)[0] == reports


def test_what_is_said_about_it(tmp_path: Path) -> None:
    assert found(tmp_path, **{"a.pdf": "x"})[1] == []
    assert found(tmp_path, **{"a.doc": "x"})[1] == ["no PDF, but a.doc: hand in the report as PDF"]
    assert found(tmp_path, **{"a.docx": "x", "b.docx": "xx"})[1] == [
        "2 files that may be the report; b.docx was taken for the report",
        "the report was handed in as .docx; PDF was asked for",
    ]


def test_a_file_that_cannot_be_opened_is_no_report(tmp_path: Path) -> None:
    (tmp_path / "report.md").mkdir()
    assert report_files(tmp_path, [Path("report.md")], None) == ()


def test_what_students_were_given_is_no_report_as_it_is(tmp_path: Path) -> None:
    template, handed_in = tmp_path / "template", tmp_path / "hers"
    template.mkdir()
    handed_in.mkdir()
    (template / "README.md").write_text(ANSWERS, "utf-8")
    for text, reports in [(ANSWERS.replace("\n", "\r\n"), []), (f"{ANSWERS}!", ["README.md"])]:
        (handed_in / "README.md").write_text(text, "utf-8")
        found = report_files(handed_in, [Path("README.md")], None, template)
        assert [str(file) for file in found] == reports
