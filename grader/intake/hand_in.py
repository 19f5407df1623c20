"""The files of one hand-in: which count, which are passed over, and why."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from grader.errors import SubmissionError
from grader.intake.junk import ENVIRONMENT, why_junk
from grader.intake.names import free, readable

MAX_FILES = 2000
MAX_BYTES = 200 * 2**20
MAX_FOLDERS = 50  # in one another
LONGEST_PATH = 1000  # bytes, within the hand-in; systems take about 4000 in all
TOO_MUCH = "hand in the scripts and the report only"


TOO_FAR_IN = f"more than {MAX_FOLDERS} folders in one another, or a path that is far too long"


@dataclass
class HandIn:
    """Regular, readable files, relative to `folder` and sorted; the rest by name and reason."""

    folder: Path
    files: list[Path] = field(default_factory=list)
    junk: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    bytes: int = 0


def scan(folder: Path) -> HandIn:
    """Look through a folder without following a link.

    Raises SubmissionError where the folder cannot be read or holds more than a homework.
    """
    found = HandIn(folder)
    for here, folders, files in os.walk(folder, onerror=_unreadable(found)):
        place = Path(here)
        if is_far_in(place.relative_to(folder)):
            raise SubmissionError(f"it holds {TOO_FAR_IN}; {TOO_MUCH}")
        folders[:] = [name for name in sorted(folders) if _enter(found, place / name)]
        for name in sorted(files):
            _add(found, place / name)
        if len(found.files) > MAX_FILES:
            raise SubmissionError(f"it holds more than {MAX_FILES} files; {TOO_MUCH}")
        if found.bytes > MAX_BYTES:
            raise SubmissionError(f"it is larger than {MAX_BYTES >> 20} MB; {TOO_MUCH}")
    found.files.sort()
    return found


def is_folder(path: Path) -> bool:
    """Whether it is one, or a link to one. False where that cannot be known."""
    return os.path.isdir(path)  # noqa: PTH112 - never raises, as for a link that is too long


def is_far_in(path: PurePath) -> bool:
    """Whether a path is one that no homework has, and that no disk may take."""
    length = len(str(path).encode("utf-8", "surrogatepass"))
    return len(path.parts) > MAX_FOLDERS or length > LONGEST_PATH


def copy_files(folder: Path, target: Path, rename: Callable[[str], str] = str) -> None:
    """Copy the files that count into `target`, a new folder. Links and junk stay behind.

    Times are kept. `rename` gets each part of a relative path; of two files that it gives one
    name, both are kept.
    """
    target.mkdir(parents=True)
    for file in scan(folder).files:
        copy = free(target.joinpath(*map(rename, file.parts)))
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / file, copy, follow_symlinks=True)
        shutil.copystat(folder / file, copy)
        copy.chmod(copy.stat().st_mode | stat.S_IRUSR | stat.S_IWUSR)


def _unreadable(found: HandIn) -> Callable[[OSError], None]:
    def note(error: OSError) -> None:
        place = Path(os.fsdecode(error.filename))
        if place == found.folder:
            raise SubmissionError(
                f"the folder cannot be read ({error.strerror}); ask for it to be made readable"
            ) from error
        found.notes.append(f"{_name(found, place)} cannot be read ({error.strerror})")

    return note


def _enter(found: HandIn, folder: Path) -> bool:
    why = why_junk(folder.name)
    if why is None and _is_environment(folder):
        why = "a virtual environment"
    if why is not None:
        found.junk.append(f"{_name(found, folder)}: {why}")
    elif os.path.islink(folder) and not _leads_inside(found, folder):  # noqa: PTH114 - never raises
        found.notes.append(f"{_name(found, folder)} is a link that leads outside; not followed")
    return why is None


def _is_environment(folder: Path) -> bool:
    try:
        names = os.listdir(folder)  # noqa: PTH208 - names are enough
        places = [folder / name for name in names if name.lower() in {"lib", "lib64"}]
        installed = (where for place in places for where in place.glob("python*/site-packages"))
        return (
            ENVIRONMENT in names
            or any(os.path.isdir(place / "site-packages") for place in places)  # noqa: PTH112
            or any(installed)
        )
    except OSError:
        return False  # os.walk tells that it cannot be read


def _add(found: HandIn, file: Path) -> None:
    why = why_junk(file.name)
    if why is not None:
        found.junk.append(f"{_name(found, file)}: {why}")
        return
    reason = _no_plain_file(found, file)
    if reason is not None:
        found.notes.append(f"{_name(found, file)} {reason}")
        return
    found.files.append(file.relative_to(found.folder))
    found.bytes += file.stat().st_size


def _no_plain_file(found: HandIn, file: Path) -> str | None:
    try:
        if file.is_symlink() and not _leads_inside(found, file):
            return "is a link that leads outside or nowhere; not followed"
        if not stat.S_ISREG(file.stat().st_mode):
            return "is no regular file; not read"
        file.open("rb").close()
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return None


def _leads_inside(found: HandIn, link: Path) -> bool:
    try:
        return link.resolve(strict=True).is_relative_to(found.folder.resolve())
    except (OSError, RuntimeError):  # leads nowhere, or in a circle
        return False


def _name(found: HandIn, path: Path) -> str:
    return readable(path.relative_to(found.folder).as_posix())
