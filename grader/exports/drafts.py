"""What a person has typed into review.csv and not confirmed yet: nobody's work is lost."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from grader.errors import UsageError
from grader.exports.cells import number_cell, text_cell
from grader.exports.sheet import ACCEPTED, read_rows, read_text
from grader.files import write_bytes
from grader.records import CriterionScore, Score, State


class Place(NamedTuple):
    """A row of the sheet: submission and criterion, as written in its cells."""

    submission: str
    criterion: str


@dataclass(frozen=True)
class Draft:
    """The cells of one row as typed; `points` is what the criterion was worth then."""

    points: str
    earned: str
    comment: str


Drafts = Mapping[Place, Draft]
NO_DRAFTS: Drafts = MappingProxyType({})


@dataclass
class FilledIn:
    """All that was filled in on the sheet at `path`, confirmed or not, and the file itself.

    `unclear` where some of it cannot be read: perhaps somebody's work all the same.
    """

    path: Path
    data: bytes = b""
    rows: dict[Place, Draft] = field(default_factory=dict)
    unclear: bool = False

    def concerns(self, submissions: Collection[str]) -> bool:
        """Whether anything was filled in for one of these submissions."""
        cells = set(map(text_cell, submissions))
        return any(place.submission in cells for place in self.rows)

    def without(self, submissions: Collection[str]) -> FilledIn:
        """The same sheet, as if nothing had been filled in for these submissions."""
        cells = set(map(text_cell, submissions))
        rows = {place: row for place, row in self.rows.items() if place.submission not in cells}
        return replace(self, rows=rows)

    def drafts(self, scores: Iterable[Score]) -> Drafts:
        """What the scores do not hold as a person's decision already."""
        known = {
            Place(text_cell(s.submission), text_cell(c.id)): c for s in scores for c in s.criteria
        }
        return {
            place: draft
            for place, draft in self.rows.items()
            if place not in known or not _is_recorded(draft, known[place])
        }

    def set_aside(self) -> Path:
        """Keep a copy beside the sheet, numbered so that no earlier one is lost."""
        number = 1
        while (kept := self.path.with_stem(f"{self.path.stem}.kept-{number}")).exists():
            number += 1
        write_bytes(kept, self.data)
        return kept


def read_filled_in(path: Path) -> FilledIn:
    """What a person filled in on a review sheet; nothing where there is no such file."""
    if not path.exists():
        return FilledIn(path)
    try:
        found = FilledIn(path, path.read_bytes())
        rows, problems = read_rows(path, read_text(path))
    except (UsageError, OSError):
        return FilledIn(path, path.read_bytes(), unclear=True)
    found.unclear = bool(problems)
    for row in rows:
        place = Place(row.cells["submission"].strip(), row.cells["criterion"].strip())
        draft = Draft(
            row.cells.get("points", "").strip(), row.cells["earned"], row.cells["comment"]
        )
        if draft.earned.strip() or draft.comment.strip():
            found.unclear |= place in found.rows
            found.rows[place] = draft
    return found


def _is_recorded(draft: Draft, criterion: CriterionScore) -> bool:
    recorded = (number_cell(criterion.earned), text_cell(criterion.comment))
    earned = draft.earned.strip().replace(",", ".")
    if earned.lower() == ACCEPTED and criterion.state is State.FINAL:
        earned = recorded[0]
    return criterion.comment is not None and recorded == (earned, draft.comment.strip())
