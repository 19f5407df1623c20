"""What an archive says is in it, whichever its format, and the refusals that all formats share."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import PurePosixPath
from typing import Any

from grader.errors import SubmissionError
from grader.intake.hand_in import MAX_FOLDERS, TOO_FAR_IN, TOO_MUCH, is_far_in
from grader.intake.junk import environments, why_junk
from grader.intake.names import brief, readable

NEW_ZIP = "hand in the folder or a new zip"


@dataclass(frozen=True)
class Member:
    """One file, folder or other thing in an archive.

    `stamp` is when the file was last changed; without a zone where the archive keeps local time
    only. `refusal` says why an archive that holds this is refused; `handle` is the reader's own.
    """

    path: PurePosixPath
    size: int
    stamp: datetime | None
    is_folder: bool
    refusal: str | None
    handle: Any


def path_inside(text: str, name: str) -> PurePosixPath:
    """Where a member of archive `name` says it goes; SubmissionError where that is outside."""
    text = text.replace("\\", "/")  # some Windows programs write backslashes
    parts = [part for part in text.split("/") if part not in {"", "."}]
    if text.startswith("/") or ".." in parts or re.match(r"[A-Za-z]:", text):
        raise SubmissionError(
            f"{name} holds a file that wants to go outside its folder ({brief(text)!r}); {NEW_ZIP}"
        )
    return PurePosixPath(*parts[: MAX_FOLDERS + 1])  # of thousands; those are refused


def link_in(name: str, path: PurePosixPath) -> str:
    """Why an archive with a link in it is refused."""
    return f"{name} holds a link ({brief(str(path))!r}) instead of a file; {NEW_ZIP}"


def far_in(name: str, path: PurePosixPath) -> str | None:
    """Why an archive is refused for where this is in it; None where that is a sensible place."""
    return f"{name} holds {TOO_FAR_IN}; {TOO_MUCH}" if is_far_in(path) else None


def choose(members: Iterable[Member]) -> tuple[dict[PurePosixPath, Member], list[str]]:
    """The files to write by their path, and lines on what is passed over.

    Raises SubmissionError where one of them must not be written.
    """
    members = list(members)
    within = environments(member.path for member in members)
    chosen: dict[PurePosixPath, Member] = {}
    junk: dict[str, None] = {}
    for member in members:
        line = _junk_line(member.path, within)
        if line is not None:
            junk[line] = None
        elif member.path.parts and not member.is_folder:
            if member.refusal is not None:
                raise SubmissionError(member.refusal)
            chosen[member.path] = member  # of two with one name the last counts, as in every unzip
    return chosen, list(junk)


def _junk_line(path: PurePosixPath, within: set[Any]) -> str | None:
    for depth, part in enumerate(path.parts[:MAX_FOLDERS], 1):
        top = PurePosixPath(*path.parts[:depth])
        why = why_junk(part) or ("a virtual environment" if top in within else None)
        if why is not None:
            return f"{readable(str(top))}: {why}"
    return None


def moment(stamp: datetime, zone: tzinfo | None = None) -> float:
    """Seconds of the epoch; a stamp without a zone is of `zone`, or of this machine's."""
    return (stamp if stamp.tzinfo else stamp.replace(tzinfo=zone)).timestamp()
