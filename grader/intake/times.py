"""When a hand-in was last changed, as far as its files tell."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import tzinfo
from pathlib import Path

from grader.errors import SubmissionError
from grader.intake.archives import ending_of, newest
from grader.intake.entry import Entry
from grader.intake.hand_in import scan


def handed_in(entry: Entry, zone: tzinfo | None = None) -> float | None:
    """When, in seconds of the epoch: the time of the newest file, those in archives included.

    A zip keeps local times without a zone; they are taken for times in `zone`, else in that of
    this machine. None where nothing tells.
    """
    times = [changed(part.path, zone) for part in entry.all_parts]
    return max((time for time in times if time is not None), default=None)


def arrived(entry: Entry) -> float | None:
    """When the newest of its files was put into the class folder, as far as that is known.

    What is in archives is older. None where nothing can be read.
    """
    times = [_newest(part.path, lambda file: file.lstat().st_mtime) for part in entry.all_parts]
    return max((time for time in times if time is not None), default=None)


def changed(source: Path, zone: tzinfo | None = None) -> float | None:
    """When one folder, archive or file was changed last. Of a clone that is not known.

    The files of a clone have the time at which it was cloned.
    """
    if os.path.lexists(source / ".git"):
        return None
    return _newest(source, lambda file: _of_file(file, zone))


def _newest(source: Path, time_of: Callable[[Path], float]) -> float | None:
    try:
        if source.is_symlink():
            return source.lstat().st_mtime
        if not source.is_dir():
            return time_of(source)
        return max((time_of(source / file) for file in scan(source).files), default=None)
    except (SubmissionError, OSError):
        return None  # an unreadable hand-in is reported as such; its time is unknown


def _of_file(path: Path, zone: tzinfo | None) -> float:
    """Of an archive, the time of the newest file in it.

    The archive itself often has the time of its download. Where it is older than what is in it,
    the clock of one of two computers is wrong, and the earlier time counts.
    """
    own = path.lstat().st_mtime
    try:
        inside = newest(path, zone) if ending_of(path.name) else None
    except SubmissionError:
        return own  # what is wrong with it is told when it is opened
    return own if inside is None else min(inside, own)
