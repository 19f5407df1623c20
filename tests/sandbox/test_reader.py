from __future__ import annotations

import io
import shutil
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from grader.intake.page_pictures import HEIGHT
from grader.records import Report
from grader.sandbox import reader
from grader.sandbox.host import Launcher

REPORTS = Path(__file__).parents[1] / "intake" / "reports"
FORMS = ["latex.pdf", "word.docx", "notebook.ipynb", "page.html", "estonian.md", "scan.pdf"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in FORMS:
        shutil.copy(REPORTS / name, tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", FORMS[:-1])
def test_every_form_is_read_in_a_sandbox(launcher: Launcher, folder: Path, name: str) -> None:
    report = reader.read_report(launcher, folder, Path(name))
    assert report.problem is None
    assert "GPU 1" in report.text
    assert "| 24 | " in report.text


def test_what_is_no_text_comes_back_as_a_problem(launcher: Launcher, folder: Path) -> None:
    report = reader.read_report(launcher, folder, Path("scan.pdf"))
    assert report.pages == ()
    assert "a person must read it" in (report.problem or "")


def test_pages_that_a_person_must_see_are_drawn(launcher: Launcher, folder: Path) -> None:
    report = reader.read_report(launcher, folder, Path("scan.pdf"))
    pages = reader.draw_pages(launcher, folder, report)
    assert pages.keys() == {1, 2, 3}
    with Image.open(io.BytesIO(pages[2])) as page:
        assert 1000 < page.height <= HEIGHT
        darkest, lightest = page.convert("L").getextrema()
    assert darkest < 100 < 200 < lightest  # letters on paper


def test_what_is_text_is_not_drawn(launcher: Launcher, folder: Path) -> None:
    report = reader.read_report(launcher, folder, Path("latex.pdf"))
    assert reader.draw_pages(launcher, folder, report) == {}


def test_a_page_that_cannot_be_drawn_is_left_out(launcher: Launcher, folder: Path) -> None:
    assert reader.draw_pages(launcher, folder, Report("scan.pdf", to_see=(1, 7))).keys() == {1}
    assert reader.draw_pages(launcher, folder, Report("word.docx", to_see=(1,))) == {}


def test_a_bomb_ends_in_a_line(launcher: Launcher, folder: Path) -> None:
    with zipfile.ZipFile(folder / "report.docx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b"<a>" + b" " * (400 << 20))
    report = reader.read_report(launcher, folder, Path("report.docx"))
    assert report.problem == "report.docx is too large inside; export it again as PDF"
