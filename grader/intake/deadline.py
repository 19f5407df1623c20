"""Was it handed in on time?"""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

from grader.errors import SubmissionError
from grader.intake.entry import Entry
from grader.intake.hand_in import scan
from grader.intake.settings import ClassSettings


def lateness(entry: Entry, settings: ClassSettings) -> str | None:
    """`handed in 2 h 14 min late`, or None when in time, without a deadline or without a file."""
    deadline = settings.deadline_of(entry.id)
    moment = handed_in(entry.source) if deadline else None
    if deadline is None or moment is None:
        return None
    seconds = int(moment - deadline.astimezone(UTC).timestamp())
    return f"handed in {_spelled(seconds)} late" if seconds > 0 else None


def handed_in(source: Path) -> float | None:
    """When, in seconds of the epoch: the time of the archive, or of the folder's newest file."""
    try:
        if not source.is_dir():
            return source.lstat().st_mtime
        files = scan(source).files
        return max(((source / file).stat().st_mtime for file in files), default=None)
    except (SubmissionError, OSError):
        return None  # an unreadable hand-in is reported as such; its time is unknown


def _spelled(seconds: int) -> str:
    """The two largest units: 3 d 4 h, 2 h 14 min, 40 s."""
    parts: list[str] = []
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        count, seconds = divmod(seconds, size)
        if count or parts:
            parts.append(f"{count} {unit}")
    return " ".join(part for part in parts[:2] if not part.startswith("0 "))
