"""Overrides of class.toml against what they are about: the rubric, and the files handed in."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from grader.errors import SubmissionError
from grader.intake.class_folder import ClassFolder
from grader.intake.entry import Entry
from grader.intake.gathering import gather
from grader.intake.named_files import named_files, not_there
from grader.intake.names import readable
from grader.intake.settings import FILE, MODEL, REPORT, Override, tables, unknown
from grader.toml_file import Mistake, TomlFile, Where


def refuse_overrides(
    found: ClassFolder, points: Mapping[str, float], tasks: Collection[str], workspace: Path
) -> None:
    """Refuse overrides that name no criterion, task or file, or give more than there is.

    `points` are the rubric's, by criterion id. Hand-ins of which files are named are opened in
    `workspace` to look for those. Raises UsageError, one line per mistake.
    """
    path = found.folder / FILE
    if not path.exists():
        return
    file = TomlFile.read(path)
    entries = {entry.id: entry for entry in found.entries}
    mistakes: list[Mistake] = []
    for written in tables(file.data.get("overrides")):
        key = readable(written)
        override = found.settings.overrides[key]
        wrong = [*_points(override, points), *_kinds(override, tasks)]
        if key in entries and override.files:
            wrong += _files(entries[key], workspace)
        mistakes += [file.mistake(("overrides", written, *where), text) for where, text in wrong]
    file.refuse(mistakes)


def _points(override: Override, points: Mapping[str, float]) -> Iterator[tuple[Where, str]]:
    for criterion, given in override.points.items():
        where = ("points", criterion)
        if criterion not in points:
            yield where, unknown("criterion", criterion, points)
        elif given.earned > points[criterion]:
            worth = f"{points[criterion]:g} at most, found {given.earned:g}"
            yield (*where, "earned"), f"expected {worth}"


def _kinds(override: Override, tasks: Collection[str]) -> Iterator[tuple[Where, str]]:
    known = [MODEL, REPORT, *tasks]
    for what in override.files:
        if what not in known:
            yield ("files", what), f"expected one of {', '.join(known)}"


def _files(entry: Entry, workspace: Path) -> list[tuple[Where, str]]:
    with tempfile.TemporaryDirectory(dir=workspace, ignore_cleanup_errors=True) as scratch:
        try:
            gathered = gather(entry, Path(scratch))
        except SubmissionError:
            return []  # it is said of the hand-in as a whole, to the student too
        missing = named_files(entry, gathered.files, gathered.within).missing
        held = gathered.files.files
        return [(("files", what), not_there(said, held)) for what, said in missing.items()]
