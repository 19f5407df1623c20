"""A hand-in that was recognised in a class folder."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from grader.intake.entry import Part
from grader.intake.hand_in import is_folder
from grader.intake.names import readable


@dataclass(frozen=True)
class Found:
    """One student's hand-in, by what the names in the class folder tell.

    `children` are all files and folders of the class folder that it accounts for; `left_out`
    are lines on what of those was passed over, such as earlier attempts.
    """

    id: str
    parts: tuple[Part, ...]
    children: tuple[Path, ...]
    name: str | None = None
    late: bool = False
    notes: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


def show(paths: Iterable[Path]) -> str:
    """`ann/ and ann.zip`."""
    return " and ".join(readable(path.name) + ("/" if is_folder(path) else "") for path in paths)
