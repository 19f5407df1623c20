"""One hand-in as it stands in the class folder, not opened yet."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from grader.errors import SubmissionError
from grader.intake.hand_in import MAX_BYTES, scan
from grader.records import Student


@dataclass(frozen=True)
class Entry:
    """A folder, an archive or a script of a class folder. `notes` are the class folder's."""

    id: str
    student: Student
    source: Path
    notes: tuple[str, ...] = ()


def digest(source: Path) -> str:
    """A hash of what was handed in: names and contents, not times. Never raises.

    What cannot be read has the hash of the reason, so that it changes once it can be.
    """
    found = hashlib.sha256(source.suffix.lower().encode("utf-8", "surrogateescape"))
    try:
        if source.is_symlink():
            found.update(b"a link")
        elif source.is_dir():
            _add_folder(found, source)
        else:
            _add_file(found, source)
    except (OSError, SubmissionError) as error:
        found.update(str(error).encode("utf-8", "surrogateescape"))
    return found.hexdigest()


def _add_folder(found: hashlib._Hash, folder: Path) -> None:
    contents = scan(folder)
    for file in contents.files:
        found.update(b"\0" + str(file).encode("utf-8", "surrogateescape") + b"\0")
        _add_file(found, folder / file)
    for note in contents.notes:
        found.update(b"\0" + note.encode("utf-8", "surrogateescape"))


def _add_file(found: hashlib._Hash, path: Path) -> None:
    size = path.stat().st_size
    found.update(str(size).encode())
    if size <= MAX_BYTES:  # more is refused unread
        with path.open("rb") as file:
            found.update(hashlib.file_digest(file, "sha256").digest())
