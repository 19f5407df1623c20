from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from hand_ins import make_pdf, without_root
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from reportlab.lib import pdfencrypt
from reportlab.pdfgen import canvas
from reportlab.platypus import SimpleDocTemplate, Table

from grader.intake import Passage, find_passage
from grader.intake.reading.document import MAX_CHARACTERS, MAX_PAGES
from grader.intake.report_reader import read
from grader.records import Report


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", "-m", "grader.intake.report_reader"]
    command += ["--folder", ".", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=cwd, check=False)


def test_the_program_prints_pages_as_json(tmp_path: Path) -> None:
    make_pdf(tmp_path / "my report.pdf", [["Task 1", "Q1) 3 and 3"], ["Task 2 – täpne"]])
    done = run("my report.pdf", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {"pages": ["Task 1\nQ1) 3 and 3", "Task 2 – täpne"]}


def test_the_program_says_how_it_is_called(tmp_path: Path) -> None:
    done = run(cwd=tmp_path)
    assert done.returncode == 2
    assert "usage: report_reader [-h] --folder FOLDER file" in done.stderr


def test_the_reader_starts_without_torch(tmp_path: Path) -> None:
    code = "import sys, grader.intake.report_reader; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_rows_of_a_table_become_rows(tmp_path: Path) -> None:
    path = tmp_path / "table.pdf"
    rows = [["DEPTH", "Step time (ms)"], ["6", "10,5"], ["12", "20,9"]]
    SimpleDocTemplate(str(path)).build([Table(rows)])
    assert read(path) == {"pages": ["| DEPTH | Step time (ms) |\n| 6 | 10,5 |\n| 12 | 20,9 |"]}


def test_from_pdf_to_passage(tmp_path: Path) -> None:
    lines = ["Task 1 - Current Behaviour", "Q1)", "3 and 3", "Q2)", "at layer 3", "TASK 2."]
    pages = read(make_pdf(tmp_path / "r.pdf", [lines]))["pages"]
    found = find_passage(Report(pages=tuple(pages)), ["Task 1", "Q2"])
    assert found == Passage("Q2)\nat layer 3", page=1, exact=True, pages=(1, 1))


def drawing(path: Path) -> Path:
    """A scan: a page that is one picture."""
    picture = Image.new("RGB", (200, 100), "white")
    ImageDraw.Draw(picture).text((10, 10), "Task 1")
    picture.save(path, "PDF")
    return path


def locked(path: Path) -> Path:
    encryption = pdfencrypt.StandardEncryption("secret")
    sheet = canvas.Canvas(str(path), encrypt=encryption)
    sheet.drawString(72, 700, "Task 1")
    sheet.save()
    return path


def without_pages(path: Path) -> Path:
    document = pypdfium2.PdfDocument.new()
    document.save(str(path))
    document.close()
    return path


def written(content: bytes) -> Any:
    def make(path: Path) -> Path:
        path.write_bytes(content)
        return path

    return make


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (drawing, "r.pdf holds pictures but no text (a scan or screenshots?); a person must read"),
        (locked, "r.pdf is locked with a password; hand it in without one"),
        (without_pages, "r.pdf is damaged or has no pages; export it again"),
        (written(b""), "r.pdf is empty; hand in a PDF"),
        (written(b"PK\3\4 word/document.xml"), "r.pdf is not a PDF; hand in a PDF"),
        (written(b"%PDF-1.4\n%%EOF"), "r.pdf is damaged or has no pages; export it again"),
        (lambda path: path, "r.pdf cannot be read (No such file or directory)"),
    ],
)
def test_what_is_no_readable_report(tmp_path: Path, make: Any, problem: str) -> None:
    make(tmp_path / "r.pdf")
    found = json.loads(run("r.pdf", cwd=tmp_path).stdout)
    assert "pages" not in found
    assert found["problem"].startswith(problem)


def test_a_report_that_was_cut_off(tmp_path: Path) -> None:
    path = make_pdf(tmp_path / "r.pdf", [["Task 1"]] * 3)
    path.write_bytes(path.read_bytes()[:400])
    assert json.loads(run("r.pdf", cwd=tmp_path).stdout) == {
        "problem": "r.pdf is damaged or has no pages; export it again"
    }


def test_a_report_nobody_may_read(open_folder: Path) -> None:
    path = make_pdf(open_folder / "r.pdf", [["Task 1"]])
    path.chmod(0)
    with without_root():
        assert read(path) == {"problem": "r.pdf cannot be read (Permission denied)"}


def test_many_pages_are_read_to_a_limit_that_is_told(tmp_path: Path) -> None:
    found = read(make_pdf(tmp_path / "r.pdf", [["x"]] * (MAX_PAGES + 5)))
    assert len(found["pages"]) == MAX_PAGES
    assert found["problem"] == "r.pdf: only the first 100 of 105 pages were read"


def test_much_text_is_read_to_a_limit_that_is_told(tmp_path: Path) -> None:
    path = tmp_path / "r.pdf"
    sheet = canvas.Canvas(str(path), pagesize=(14_000, 14_000), invariant=1)
    for _ in range(20):
        for line in range(60):
            sheet.drawString(100, 13_000 - 200 * line, "many words " * 100)
        sheet.showPage()
    sheet.save()
    found = read(path)
    assert 0.8 * MAX_CHARACTERS < sum(map(len, found["pages"])) <= MAX_CHARACTERS
    assert found["problem"] == "r.pdf: only the first 300,000 characters were read"


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(changes=st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 255)), max_size=8))
def test_a_mutated_pdf_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, int]]
) -> None:
    path = make_pdf(tmp_path_factory.mktemp("mutated") / "r.pdf", [["Task 1", "Q1"], ["Task 2"]])
    content = bytearray(path.read_bytes())
    for place, value in changes:
        content[place % len(content)] = value
    path.write_bytes(content)
    found = read(path)
    assert found.keys() <= {"pages", "problem", "to_see"}
    assert found
    json.dumps(found)


def test_a_page_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = make_pdf(tmp_path / "r.pdf", [["Task 1"], ["Task 2"], ["Task 3"]])
    path.write_bytes(path.read_bytes().replace(b"[ 3 0 R 4 0 R", b"[ 3 0 R  null"))
    assert read(path) == {
        "pages": ["Task 1", "", "Task 3"],
        "problem": "r.pdf: page 2 cannot be read",
    }


def test_a_page_that_is_a_picture_is_named(tmp_path: Path) -> None:
    path = make_pdf(tmp_path / "r.pdf", [["Task 1"], [], ["Task 3"]])
    assert read(path) == {
        "pages": ["Task 1", "", "Task 3"],
        "problem": "r.pdf: page 2 holds no text (a picture?)",
    }
