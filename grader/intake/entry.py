"""One hand-in as it stands in the class folder, not opened yet."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from grader.errors import SubmissionError
from grader.intake.hand_in import MAX_BYTES, scan
from grader.records import Json, Student


@dataclass(frozen=True)
class Part:
    """A file or folder of a class folder.

    `name` is what the student called a file. What is in a folder belongs at the top of the
    hand-in; its name is where it lies in the class folder.
    """

    path: Path
    name: str


@dataclass(frozen=True)
class Entry:
    """One student's hand-in: a folder, an archive or a script of a class folder, or several.

    `source` is the hand-in, or the first of its `parts` where a platform renamed it or it came
    in several. `notes` are the class folder's. `late` is what the platform's file names say.
    `files` are those that class.toml names: what they are (a task's id, `model`, `report`), and
    where they are in the hand-in; `arguments` what it gives to parameters of the model's class.
    """

    id: str
    student: Student
    source: Path
    notes: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    late: bool = False
    files: Mapping[str, str] = field(default_factory=dict)
    arguments: Json = field(default_factory=dict)

    @property
    def all_parts(self) -> tuple[Part, ...]:
        """The parts, also where there is only one."""
        return self.parts or (Part(self.source, self.source.name),)


def digest(entry: Entry) -> str:
    """A hash of what was handed in: names and contents, not times. Never raises.

    What cannot be read has the hash of the reason, so that it changes once it can be.
    """
    found = hashlib.sha256()
    for part in entry.parts:
        found.update(b"\0part " + _bytes(part.name) + b"\0")
        _add(found, part.path)
    if not entry.parts:
        _add(found, entry.source)
    return found.hexdigest()


def _add(found: hashlib._Hash, source: Path) -> None:
    found.update(_bytes(source.suffix.lower()))
    try:
        if source.is_symlink():
            found.update(b"a link")
        elif source.is_dir():
            _add_folder(found, source)
        else:
            _add_file(found, source)
    except (OSError, SubmissionError) as error:
        found.update(_bytes(str(error)))


def _add_folder(found: hashlib._Hash, folder: Path) -> None:
    contents = scan(folder)
    for file in contents.files:
        found.update(b"\0" + _bytes(str(file)) + b"\0")
        _add_file(found, folder / file)
    for note in contents.notes:
        found.update(b"\0" + _bytes(note))


def _add_file(found: hashlib._Hash, path: Path) -> None:
    size = path.stat().st_size
    found.update(str(size).encode())
    if size <= MAX_BYTES:  # more is refused unread
        with path.open("rb") as file:
            found.update(hashlib.file_digest(file, "sha256").digest())


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
