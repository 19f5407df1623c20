"""One hand-in, opened: its code, its report, and what is wrong with it."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

from grader.errors import InternalError, SubmissionError
from grader.intake.archives import unpack
from grader.intake.entry import Entry
from grader.intake.hand_in import HandIn, copy_files, scan
from grader.intake.names import readable, storable
from grader.notebook import ENDING
from grader.records import Submission

#: Endings of files that hold code.
CODE = (".py", ENDING)

#: Words in the name of a PDF that make it the report.
_REPORT_WORDS = ("report", "raport", "answer", "aruanne", "vastus")

#: What may be meant as a report, named when there is no PDF.
_OTHER_REPORTS = {".docx", ".doc", ".odt", ".pages", ".rtf"}


def open_entry(
    entry: Entry, workspace: Path, assignment: str | None
) -> tuple[Submission, list[str]]:
    """The submission that an entry is, and lines on what was passed over in it.

    Archives are unpacked into a fresh folder in `workspace`, whose name tells a person whose
    it is; a folder is used where it stands. `assignment` helps to tell the report from other
    PDFs. Never raises for what a student did: that becomes the submission's `problem`.
    """
    slug = re.sub(r"[^A-Za-z0-9_-]+", "_", entry.id)[:60]
    scratch = Path(tempfile.mkdtemp(prefix=f"{slug}-", dir=workspace))
    common = (entry.id, entry.student, entry.source)
    try:
        folder, junk = _opened(entry.source, scratch)
        files = scan(folder)
        renamed = _with_plain_names(files, scratch)
    except SubmissionError as error:
        shutil.rmtree(scratch / "files", ignore_errors=True)  # half of a bomb, perhaps
        return Submission(*common, scratch, problem=str(error)), []
    except OSError as error:
        raise InternalError(f"{workspace} cannot be written to", found=str(error)) from error
    reports = _reports(renamed, assignment)
    submission = Submission(
        *common,
        renamed.folder,
        code=_code(renamed),
        reports=reports,
        notes=(*files.notes, *_notes(renamed, reports)),
    )
    name = readable(entry.source.name)
    return submission, [f"{name}/{line}" for line in junk + files.junk]


def _opened(source: Path, scratch: Path) -> tuple[Path, list[str]]:
    """The folder that holds the files, and what an archive held besides."""
    if source.is_symlink():
        raise SubmissionError("it is a link to another place; put the files themselves here")
    if source.is_dir():
        return source, []
    folder = scratch / "files"
    if _is(source, ".zip"):
        junk = unpack(source, folder)
        return _seen_through(folder), junk
    folder.mkdir()
    try:
        shutil.copy2(source, folder / storable(source.name))
    except PermissionError as error:
        raise SubmissionError(
            f"{readable(source.name)} cannot be read; make it readable"
        ) from error
    return folder, []


def _seen_through(folder: Path) -> Path:
    """The folder inside, where an archive holds nothing but one."""
    inside = list(folder.iterdir())
    while len(inside) == 1 and inside[0].is_dir():
        folder = inside[0]
        inside = list(folder.iterdir())
    return folder


def _with_plain_names(files: HandIn, scratch: Path) -> HandIn:
    """The same hand-in, copied under names that can be shown where one of them cannot."""
    if all(storable(part) == part for file in files.files for part in file.parts):
        return files
    copy_files(files.folder, scratch / "renamed", rename=storable)
    return scan(scratch / "renamed")


# ------------------------------------------------------------------ what is in it


def _reports(files: HandIn, assignment: str | None) -> tuple[Path, ...]:
    """PDF files: named like a report, then like the assignment, then by size."""

    def rank(file: Path) -> tuple[bool, bool, int]:
        name = file.stem.lower()
        named = any(word in name for word in _REPORT_WORDS)
        of_assignment = assignment is not None and assignment.lower() in name
        return not named, not of_assignment, -(files.folder / file).stat().st_size

    return tuple(sorted((file for file in files.files if _is(file, ".pdf")), key=rank))


def _code(files: HandIn) -> tuple[Path, ...]:
    """Scripts, then notebooks."""
    return tuple(file for ending in CODE for file in files.files if _is(file, ending))


def _notes(files: HandIn, reports: tuple[Path, ...]) -> list[str]:
    """What an instructor wants to know before asking."""
    if not files.files:
        return ["the hand-in is empty"]
    notes = []
    if not _code(files):
        held = ", ".join(map(str, files.files[:5])) + (", ..." if len(files.files) > 5 else "")
        notes.append(f"no script and no notebook was found, only {held}")
    if len(reports) > 1:
        notes.append(f"{len(reports)} PDF files; {reports[0]} was taken for the report")
    others = [str(file) for file in files.files if file.suffix.lower() in _OTHER_REPORTS]
    if others and not reports:
        notes.append(f"no PDF, but {', '.join(others)}: hand in the report as PDF")
    inner = [str(file) for file in files.files if _is(file, ".zip")]
    if inner:
        notes.append(f"{', '.join(inner)} inside was not opened")
    return notes


def _is(file: Path, ending: str) -> bool:
    return file.suffix.lower() == ending
