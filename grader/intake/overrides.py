"""Overrides of class.toml against what they are about: the rubric, and the files handed in."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from grader.errors import SubmissionError
from grader.intake.class_folder import ClassFolder
from grader.intake.entry import Entry
from grader.intake.gathering import gather
from grader.intake.given_arguments import mistakes_in
from grader.intake.named_files import NamedFiles, is_code, named_files, no_class, not_there
from grader.intake.names import readable
from grader.intake.settings import FILE, MODEL, REPORT, Override, tables, unknown
from grader.toml_file import Mistake, TomlFile, Where


def refuse_overrides(
    found: ClassFolder,
    points: Mapping[str, float],
    tasks: Collection[str],
    roles: Collection[str],
    workspace: Path,
) -> None:
    """Refuse overrides that name no criterion, task, role or file, or give more than there is.

    `points` are the rubric's, by criterion id; `roles` are what a parameter of the model's class
    can be. Hand-ins of which files are named are opened in
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
        wrong += mistakes_in(override.arguments, roles)
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
        named = named_files(entry, gathered.files, gathered.within)
        held = gathered.files.files
        missing = [(("files", what), not_there(said, held)) for what, said in named.missing.items()]
        return [*missing, *_code(named, gathered.files.folder)]


def _code(named: NamedFiles, folder: Path) -> Iterator[tuple[Where, str]]:
    for what, file in named.found.items():
        class_name = named.classes.get(what)
        if what == REPORT and class_name:
            yield ("files", what), f"a report has no class {class_name!r}"
        elif (what == MODEL or class_name) and not is_code(file):
            yield ("files", what), f"expected a script or a notebook, found {file.name!r}"
        elif class_name and (wrong := no_class(class_name, folder / file, file)):
            yield ("files", what), wrong
