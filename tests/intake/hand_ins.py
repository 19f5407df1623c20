"""Makes hand-ins as they come: zips with whatever in them, PDFs, files nobody may read."""

from __future__ import annotations

import io
import os
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen import canvas

from grader.errors import SubmissionError
from grader.intake import open_entry, read_class
from grader.intake.archives import unpack
from grader.records import Submission

NOBODY = 65534


@dataclass(frozen=True)
class Opened:
    """A class folder with every hand-in opened."""

    submissions: tuple[Submission, ...]
    ignored: tuple[str, ...]


def open_class(folder: Path, workspace: Path, assignment: str | None = None) -> Opened:
    """Open all hand-ins, in the order of their ids."""
    found = read_class(folder)
    opened = [open_entry(entry, workspace, assignment) for entry in found.entries]
    lines = (line for _, passed_over in opened for line in passed_over)
    return Opened(tuple(submission for submission, _ in opened), (*found.ignored, *lines))


def make_zip(path: Path, files: dict[str, str | bytes]) -> Path:
    """A zip with these files, made as a student's computer makes it."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def make_tar(path: Path, files: dict[str, bytes]) -> Path:
    """A tarball with these files, compressed as its name says."""
    ending = path.suffix.lstrip(".")
    mode = {"tar": "w", "tgz": "w:gz"}.get(ending, f"w:{ending}")
    with tarfile.open(path, mode) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def written(folder: Path) -> dict[str, bytes]:
    """All files below a folder, by their path in it."""
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


def refusal(archive: Path) -> str:
    """What is said of an archive that must not be unpacked."""
    with pytest.raises(SubmissionError) as caught:
        unpack(archive, archive.parent / "out")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def make_pdf(path: Path, pages: list[list[str]]) -> Path:
    """A PDF with these lines on these pages."""
    sheet = canvas.Canvas(str(path), pagesize=A4, invariant=1)
    for lines in pages:
        text = sheet.beginText(72, 760)
        for line in lines:
            text.textLine(line)
        sheet.drawText(text)
        sheet.showPage()
    sheet.save()
    return path


@contextmanager
def without_root() -> Iterator[None]:
    """File permissions count in here, even where tests run as root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
