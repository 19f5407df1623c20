"""Brings all that one student handed in into one folder: parts together, archives unpacked."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath

from grader.errors import SubmissionError
from grader.intake.archives import ending_of, stem_of, unpack
from grader.intake.budget import Budget
from grader.intake.entry import Entry, Part
from grader.intake.hand_in import HandIn, copy_files, is_folder, scan
from grader.intake.junk import few
from grader.intake.members import NEW_ZIP
from grader.intake.names import brief, free, readable, storable

MAX_DEPTH = 3  # archives in archives in archives; one more stays closed


@dataclass
class Gathered:
    """The files of a hand-in, and lines on what was passed over in it.

    `within` are the folders between what was handed in and `files.folder`, which hold nothing
    else and so are not shown.
    """

    files: HandIn
    junk: list[str] = field(default_factory=list)
    within: PurePath = field(default_factory=PurePath)


def gather(entry: Entry, scratch: Path) -> Gathered:
    """Open a hand-in; what has to be copied or unpacked goes into `scratch`.

    A folder without archives is used where it stands, and nothing in the class folder is
    changed. An archive inside that cannot be opened is a note; if there is nothing but that, it
    raises SubmissionError, as it does where the hand-in cannot be read at all.
    """
    _refuse_links(entry.all_parts)
    folder, opened = scratch / "files", _Opened(_budget(entry.all_parts))
    if len(entry.all_parts) > 1:
        name, junk = entry.id, _bring_together(entry.all_parts, folder)
    else:
        [part] = entry.all_parts
        name = readable(part.name if is_folder(part.path) else part.path.name)
        folder, junk = _bring(part, folder, opened)
    found = scan(folder)
    if any(ending_of(file.name) for file in found.files):
        if folder != scratch / "files":
            copy_files(folder, scratch / "files")
            folder = scratch / "files"
        opened.archives(found.files, folder)
        again = scan(folder)  # the notes of the first look stay: a copy has no links
        found = replace(again, notes=found.notes, junk=found.junk)
    if opened.failed and len(opened.failed) == len(set(found.files) - opened.done):
        raise SubmissionError(opened.failed[0])
    found.notes += [f"not opened: {failed}" for failed in opened.failed]
    junk += [f"{name}/{line}" for line in found.junk + opened.junk]
    inner, within = _seen_through(found, opened.done)
    inner.notes = few(inner.notes)
    return Gathered(inner, few(junk), within)


class _Opened:
    """What came of opening archives: those that were, those that were not, and junk in them."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.done: set[Path] = set()
        self.failed: list[str] = []
        self.junk: list[str] = []
        self.depth = 1

    def archives(self, files: Iterable[Path], folder: Path) -> None:
        """Unpack each archive among `files` of `folder` beside itself, and those in it."""
        for file in files:
            if ending_of(file.name):
                self._archive(file, folder)

    def _archive(self, file: Path, folder: Path) -> None:
        name = brief(str(file))
        if self.depth > MAX_DEPTH:
            self.failed.append(f"{name} is too deep: an archive in {MAX_DEPTH} others; {NEW_ZIP}")
            return
        into = free(folder / file.parent / storable(stem_of(file)))
        try:
            junk = unpack(folder / file, into, self.budget, name)
        except SubmissionError as error:
            shutil.rmtree(into, ignore_errors=True)  # half of a bomb, perhaps
            self.failed.append(str(error))
            return
        self.done.add(file)
        self.junk += [f"{name}/{line}" for line in junk]
        inside = [into.relative_to(folder) / inner for inner in scan(into).files]
        self.depth += 1
        self.archives(inside, folder)
        self.depth -= 1


# ------------------------------------------------------------------ parts


def _refuse_links(parts: Iterable[Part]) -> None:
    if any(part.path.is_symlink() for part in parts):
        raise SubmissionError("it is a link to another place; put the files themselves here")


def _budget(parts: Iterable[Part]) -> Budget:
    """One for all archives of a hand-in, wherever they lie in it."""
    packed = 0
    for part in parts:
        try:
            inside = scan(part.path).files if is_folder(part.path) else [Path()]
            files = (part.path / file for file in inside)
            packed += sum(file.stat().st_size for file in files if ending_of(file.name))
        except (OSError, SubmissionError):
            continue  # it is told when it is read
    return Budget(packed)


def _bring(part: Part, folder: Path, opened: _Opened) -> tuple[Path, list[str]]:
    """The folder that holds the files of a hand-in that came as one thing, and junk."""
    if is_folder(part.path):
        return part.path, []
    if ending_of(part.name):
        junk = unpack(part.path, folder, opened.budget, brief(part.name))
        opened.depth += 1
        return folder, [f"{readable(part.path.name)}/{line}" for line in junk]
    folder.mkdir()
    _copy(part.path, folder / storable(part.name), brief(part.name))
    return folder, []


def _bring_together(parts: Iterable[Part], folder: Path) -> list[str]:
    """Copy all parts into a new folder; returns lines on the junk among them."""
    folder.mkdir()
    junk = []
    for part in parts:
        if not is_folder(part.path):
            _copy(part.path, free(folder / storable(part.name)), brief(part.name))
            continue
        found = scan(part.path)
        junk += [f"{readable(part.path.name)}/{line}" for line in found.junk]
        for file in found.files:
            target = folder / file
            target.parent.mkdir(parents=True, exist_ok=True)
            _copy(part.path / file, free(target), brief(str(file)))
    return junk


def _copy(source: Path, target: Path, name: str) -> None:
    try:
        shutil.copy2(source, target)
    except PermissionError as error:
        raise SubmissionError(f"{name} cannot be read; make it readable") from error


# ------------------------------------------------------------------ folders around folders


def _seen_through(found: HandIn, opened: set[Path]) -> tuple[HandIn, PurePath]:
    """The same files from the first folder on that holds more than one other folder.

    Archives that were opened do not count: what was in them does.
    """
    counted = [file for file in found.files if file not in opened]
    within = PurePath()
    while counted and all(len(file.parts) > 1 for file in counted):
        top = counted[0].parts[0]
        if any(file.parts[0] != top for file in counted):
            break
        within /= top
        counted = [file.relative_to(top) for file in counted]
    if within == PurePath():
        return found, within
    files = [f.relative_to(within) for f in found.files if f.is_relative_to(within)]
    return replace(found, folder=found.folder / within, files=files), within
