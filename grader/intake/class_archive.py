"""The download of a whole class as one zip or tarball."""

from __future__ import annotations

from pathlib import Path

from grader.errors import SubmissionError, UsageError
from grader.intake import downloads
from grader.intake.archives import ending_of, unpack
from grader.intake.budget import Budget
from grader.intake.junk import few, why_junk
from grader.intake.settings import FILE

MAX_CLASS_BYTES = 4 * 2**30
MAX_CLASS_FILES = 50_000


def unpack_class(archive: Path, workspace: Path) -> tuple[Path, list[str]]:
    """Unpack into a new folder that nobody else may look into; lines on what was passed over.

    Archives in it stay files: they are opened with the hand-in that they belong to. Raises
    UsageError where it cannot be unpacked, or holds more than a class.
    """
    folder = workspace / "class"
    try:
        limits = Budget(archive.stat().st_size, MAX_CLASS_BYTES, MAX_CLASS_FILES, "a class")
        folder.mkdir(mode=0o700)
        junk = unpack(archive, folder / "all", limits)
    except SubmissionError as error:
        why, _, _ = str(error).rpartition("; ")  # what to do was said to a student
        raise UsageError(
            f"{archive} cannot be unpacked",
            found=why,
            do="unpack it yourself, and name the folder",
        ) from error
    except OSError as error:
        raise UsageError(
            f"{archive} cannot be unpacked", found=str(error), do="make room, or unpack it yourself"
        ) from error
    return _class_in(folder / "all"), few(junk)


def _class_in(folder: Path) -> Path:
    """The folder of hand-ins, where the archive holds one folder that holds them."""
    while True:
        inside = _children(folder)
        if len(inside) != 1 or not inside[0].is_dir() or not _is_class(inside[0]):
            return folder
        [folder] = inside


def _is_class(folder: Path) -> bool:
    """Whether this is more likely a class than a hand-in."""
    if downloads.recognise([folder]):
        return False
    inside = _children(folder)
    hand_ins = [child for child in inside if child.is_dir() or ending_of(child.name)]
    said = any(child.name == FILE for child in inside)
    return said or len(hand_ins) > 1 or bool(downloads.recognise(inside))


def _children(folder: Path) -> list[Path]:
    return [child for child in sorted(folder.iterdir()) if why_junk(child.name) is None]
