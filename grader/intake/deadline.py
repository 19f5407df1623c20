"""Was it handed in on time?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC

from grader.intake.entry import Entry
from grader.intake.settings import ClassSettings
from grader.intake.times import handed_in


@dataclass(frozen=True)
class Lateness:
    """How late, in words and in seconds; `seconds` is None where only the platform says so."""

    said: str
    seconds: int | None = None


def lateness(entry: Entry, settings: ClassSettings) -> Lateness | None:
    """None when in time, and where neither a deadline nor the platform tells.

    The times of files count, against the student's own deadline. What the platform has marked
    as late in a file's name is late, but for students whose deadline was extended.
    """
    deadline = settings.deadline_of(entry.id)
    moment = handed_in(entry, deadline.tzinfo) if deadline else None
    if deadline is not None and moment is not None:
        seconds = int(moment - deadline.astimezone(UTC).timestamp())
        if seconds > 0:
            return Lateness(f"handed in {_spelled(seconds)} late", seconds)
    if entry.late and deadline == settings.deadline:
        return Lateness("handed in late, as the learning platform says; not known by how much")
    return None


def _spelled(seconds: int) -> str:
    """The two largest units: 3 d 4 h, 2 h 14 min, 40 s."""
    parts: list[str] = []
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        count, seconds = divmod(seconds, size)
        if count or parts:
            parts.append(f"{count} {unit}")
    return " ".join(part for part in parts[:2] if not part.startswith("0 "))
