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
from grader.intake.members import NEW_ZIP
from grader.intake.named_files import CODE, NamedFiles, named_files
from grader.intake.names import brief, storable
from grader.intake.report_files import report_files, report_notes
from grader.intake.settings import MODEL, REPORT
from grader.records import Submission

#: Endings of trained models: no junk, as a script may load one, but large and rarely meant.
_WEIGHTS = {".pt", ".pth", ".ckpt", ".safetensors", ".bin", ".onnx", ".h5"}
_LARGE = 20 * 2**20


def open_entry(
    entry: Entry, workspace: Path, assignment: str | None, template: Path | None = None
) -> tuple[Submission, list[str]]:
    """The submission that an entry is, and lines on what was passed over in it.

    Archives are unpacked into a fresh folder in `workspace`, whose name tells a person whose
    it is; a folder is used where it stands. `assignment` and its `template`, what students begin
    with, help to tell the report from other files. Never raises for what a student did: that
    becomes the submission's `problem`.
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
    reports = report_files(files.folder, files.files, assignment, template)
    if (said := named.found.get(REPORT)) is not None:
        reports = (said, *(file for file in reports if file != said))
    submission = Submission(
        *common,
        files.folder,
        code=_code(files, named.found.get(MODEL)),
        reports=reports,
        files=named.found,
        classes=named.classes,
        arguments=entry.arguments,
        notes=(*gathered.files.notes, *_told(named), *_notes(files, reports)),
    )
    return submission, gathered.junk


def _with_plain_names(files: HandIn, scratch: Path) -> HandIn:
    """The same hand-in, copied under names that can be shown where one of them cannot."""
    if all(storable(part) == part for file in files.files for part in file.parts):
        return files
    try:
        copy_files(files.folder, scratch / "renamed", rename=storable)
    except (FileExistsError, NotADirectoryError) as error:
        raise SubmissionError(f"it holds a file and a folder of one name; {NEW_ZIP}") from error
    return scan(scratch / "renamed")


# ------------------------------------------------------------------ what is in it


def _code(files: HandIn, model: Path | None = None) -> tuple[Path, ...]:
    """The file that holds the model where class.toml names it, then scripts, then notebooks."""
    found = [file for ending in CODE for file in files.files if _is(file, ending)]
    return tuple(sorted(found, key=lambda file: file != model))


def _told(named: NamedFiles) -> list[str]:
    """What class.toml names: what is not there, and where answers are read."""
    told = map(brief, named.missing.values())
    missing = [f"class.toml names {said!r}, which is not there" for said in told]
    read = [
        f"{'the report' if what == REPORT else f'answers of {what.upper()}'}: read in {file}, as "
        "the instructor says in class.toml"
        for what, file in named.found.items()
        if what != MODEL and not _is(file, ".py")
    ]
    return missing + read


def _notes(files: HandIn, reports: tuple[Path, ...]) -> list[str]:
    """What an instructor wants to know before asking."""
    if not files.files:
        return ["the hand-in is empty"]
    notes = []
    if not _code(files):
        held = ", ".join(map(str, files.files[:5])) + (", ..." if len(files.files) > 5 else "")
        notes.append(f"no script and no notebook was found, only {held}")
    notes += report_notes(files.files, reports)
    for file in files.files:
        size = (files.folder / file).stat().st_size
        if file.suffix.lower() in _WEIGHTS and size > _LARGE:
            notes.append(f"{file} is a trained model of {size >> 20} MB; nobody needs it")
    return notes


def _is(file: Path, ending: str) -> bool:
    return file.suffix.lower() == ending
