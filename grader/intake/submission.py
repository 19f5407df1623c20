"""One hand-in, opened: its code, its report, and what is wrong with it."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

from grader.errors import InternalError, SubmissionError
from grader.intake.entry import Entry
from grader.intake.gathering import gather
from grader.intake.hand_in import HandIn, copy_files, scan
from grader.intake.named_files import named_files
from grader.intake.names import storable
from grader.intake.settings import MODEL, REPORT
from grader.notebook import ENDING
from grader.records import Submission

#: Endings of files that hold code.
CODE = (".py", ENDING)

#: Words in the name of a PDF that make it the report.
_REPORT_WORDS = ("report", "raport", "answer", "aruanne", "vastus")

#: What may be meant as a report, named when there is no PDF.
_OTHER_REPORTS = {".docx", ".doc", ".odt", ".pages", ".rtf"}

#: Endings of trained models: no junk, as a script may load one, but large and rarely meant.
_WEIGHTS = {".pt", ".pth", ".ckpt", ".safetensors", ".bin", ".onnx", ".h5"}
_LARGE = 20 * 2**20


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
        gathered = gather(entry, scratch)
        files = _with_plain_names(gathered.files, scratch)
    except SubmissionError as error:
        shutil.rmtree(scratch / "files", ignore_errors=True)  # half of a bomb, perhaps
        return Submission(*common, scratch, problem=str(error)), []
    except OSError as error:
        raise InternalError(f"{workspace} cannot be written to", found=str(error)) from error
    named = named_files(entry, files, gathered.within)
    missing = [f"class.toml names {said!r}, which is not there" for said in named.missing.values()]
    reports = _reports(files, assignment, named.found.get(REPORT))
    submission = Submission(
        *common,
        files.folder,
        code=_code(files, named.found.get(MODEL)),
        reports=reports,
        files=named.found,
        notes=(*gathered.files.notes, *missing, *_notes(files, reports)),
    )
    return submission, gathered.junk


def _with_plain_names(files: HandIn, scratch: Path) -> HandIn:
    """The same hand-in, copied under names that can be shown where one of them cannot."""
    if all(storable(part) == part for file in files.files for part in file.parts):
        return files
    copy_files(files.folder, scratch / "renamed", rename=storable)
    return scan(scratch / "renamed")


# ------------------------------------------------------------------ what is in it


def _reports(files: HandIn, assignment: str | None, said: Path | None) -> tuple[Path, ...]:
    """The file that class.toml names; PDFs named like a report, like the assignment, by size."""

    def rank(file: Path) -> tuple[bool, bool, int]:
        name = file.stem.lower()
        named = any(word in name for word in _REPORT_WORDS)
        of_assignment = assignment is not None and assignment.lower() in name
        return not named, not of_assignment, -(files.folder / file).stat().st_size

    others = sorted((f for f in files.files if _is(f, ".pdf") and f != said), key=rank)
    return (said, *others) if said else tuple(others)


def _code(files: HandIn, model: Path | None = None) -> tuple[Path, ...]:
    """The file that holds the model where class.toml names it, then scripts, then notebooks."""
    found = [file for ending in CODE for file in files.files if _is(file, ending)]
    return tuple(sorted(found, key=lambda file: file != model))


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
    for file in files.files:
        size = (files.folder / file).stat().st_size
        if file.suffix.lower() in _WEIGHTS and size > _LARGE:
            notes.append(f"{file} is a trained model of {size >> 20} MB; nobody needs it")
    return notes


def _is(file: Path, ending: str) -> bool:
    return file.suffix.lower() == ending
