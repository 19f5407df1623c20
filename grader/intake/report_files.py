"""Which of the files of a hand-in is the report."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from grader.intake.heading_words import QUESTIONS, TASKS, any_of

#: Words in the name of a file that make it the report.
_NAMES = ("report", "raport", "answer", "aruanne", "vastus", "отчет", "отчёт")

#: What can be read, best first: what was asked for, what is made for reports, what may be one.
_FORMS = ((".pdf",), (".docx",), (".md", ".markdown", ".html", ".htm", ".ipynb", ".txt", ".rst"))

#: What may be meant as a report and cannot be read.
_UNREADABLE = {".doc", ".odt", ".pages", ".rtf"}

#: Text files are reports only if they speak of tasks: others are read-me files and logs.
_WORDS = [word for word in (*TASKS[0], *QUESTIONS) if len(word) > 3 or word == "q"]
_WORDS += ["part", "osa", "часть"]
_MENTIONS = re.compile(
    rf"(?<![^\W_])(?:{any_of(_WORDS)})"
    r"\s?[#.:_-]?\s?\d{1,2}(?!\d)|(?<!\d)\d\. ?(?:ülesanne|küsimus)",
    re.IGNORECASE,
)
_LOOKED_AT = 400_000  # bytes


def report_files(
    folder: Path, files: Iterable[Path], assignment: str | None, template: Path | None = None
) -> tuple[Path, ...]:
    """What may be the report among `files`, which are relative to `folder`; the likeliest first.

    Named like a report or like the assignment; then by form; then by size. Files that are in the
    `template` as they are, such as its read-me, are none.
    """
    given = _texts(template) if template else frozenset()

    def rank(file: Path) -> tuple[bool, int, bool, bool, int]:
        named, of_assignment = _is_named(file), _is_of(file, assignment)
        size = (folder / file).stat().st_size
        return not (named or of_assignment), _form(file) or 0, not named, not of_assignment, -size

    return tuple(sorted((file for file in files if _may_be(folder, file, given)), key=rank))


def report_notes(files: Iterable[Path], reports: tuple[Path, ...]) -> list[str]:
    """What an instructor wants to know of how the report was handed in. It costs nothing."""
    others = [str(file) for file in files if file.suffix.lower() in _UNREADABLE]
    if not reports:
        return [f"no PDF, but {', '.join(others)}: hand in the report as PDF"] if others else []
    notes = []
    if len(reports) > 1:
        pdfs = all(_form(file) == 0 for file in reports)
        kind = "PDF files" if pdfs else "files that may be the report"
        notes.append(f"{len(reports)} {kind}; {reports[0]} was taken for the report")
    if _form(reports[0]) != 0:
        ending = reports[0].suffix.lower()
        notes.append(f"the report was handed in as {ending}; PDF was asked for")
    return notes


def _form(file: Path) -> int | None:
    ending = file.suffix.lower()
    return next((n for n, endings in enumerate(_FORMS) if ending in endings), None)


def _is_named(file: Path) -> bool:
    return any(word in file.stem.lower() for word in _NAMES)


def _is_of(file: Path, assignment: str | None) -> bool:
    return assignment is not None and assignment.lower() in file.stem.lower()


def _texts(template: Path) -> frozenset[str]:
    """What stands in the template's text files, without its spaces and ends of lines."""
    files = (file for file in template.rglob("*") if _form(file) == len(_FORMS) - 1)
    return frozenset("".join(file.read_text("utf-8", "replace").split()) for file in files)


def _may_be(folder: Path, file: Path, given: frozenset[str]) -> bool:
    form = _form(file)
    if form is None or form < 2:
        return form is not None
    try:
        with (folder / file).open("rb") as opened:
            text = opened.read(_LOOKED_AT).decode("utf-8", "ignore")
    except OSError:
        return False
    if "".join(text.split()) in given:
        return False
    if file.suffix.lower() == ".ipynb":
        if not re.search(r'"cell_type"\s*:\s*"markdown"', text):
            return False
        text = text.replace("\\n", "\n")  # as JSON has it
    mentioned = {found.lower() for found in _MENTIONS.findall(text)}
    return len(mentioned) > 1 or (_is_named(file) and bool(text.strip()))
