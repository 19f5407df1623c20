"""review.csv: what waits for a person, to be filled in with a spreadsheet and read back."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

from grader.exports.cells import Table, number_cell, text_cell, typed, whole_table
from grader.exports.decisions import Decision, open_to_decision
from grader.exports.drafts import NO_DRAFTS, Drafts, Place
from grader.exports.sheet import ACCEPTED, COLUMNS, Row, read_rows, read_text, refusal
from grader.exports.similar_sheet import copied_tables
from grader.records import CriterionScore, InCommon, Kind, Score, State

_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?")


def write_review(
    path: Path,
    scores: Iterable[Score],
    drafts: Drafts = NO_DRAFTS,
    in_common: Iterable[InCommon] = (),
) -> set[Place]:
    """Write a row for each criterion that waits for a person, in the order of `scores`.

    Below them come the rows that a person decided before, points and comment filled in, so
    that the file keeps every decision and a slip can be corrected. `drafts` go into the rows
    they were made for, where the points are still the same; returns those that fit nowhere.
    For a table that another hand-in has, too, nothing is suggested: see `in_common`.
    """
    unused, copied = set(drafts), copied_tables(in_common)
    with tempfile.TemporaryFile() as below, whole_table(path, COLUMNS) as waiting:
        decided = Table(below)
        for score in scores:
            for criterion in filter(open_to_decision, score.criteria):
                row = _row(score, criterion, copied.get((score.submission, criterion.id)))
                place = Place(row[0], row[2])
                if place in unused and drafts[place].points in (row[4], ""):
                    unused.discard(place)
                    row[-2:] = drafts[place].earned, drafts[place].comment
                (decided if criterion.state is State.FINAL else waiting).add(row)
        waiting.append(below)
    return unused


def _row(score: Score, criterion: CriterionScore, copied: str | None) -> list[str]:
    decided = criterion.state is State.FINAL
    suggests = criterion.state is State.PROVISIONAL and copied is None
    return [
        text_cell(score.submission),
        text_cell(score.student.name),
        text_cell(criterion.id),
        text_cell(criterion.title),
        number_cell(criterion.points),
        text_cell(criterion.question),
        text_cell(_evidence(score, criterion)),
        text_cell(criterion.found),
        text_cell(copied),
        number_cell(criterion.earned if suggests else None),
        number_cell(criterion.earned if decided else None),
        text_cell(criterion.comment),
    ]


def _evidence(score: Score, criterion: CriterionScore) -> str:
    """What was seen and where, pages that are pictures, and what a person decided before."""
    told = [criterion.evidence + (f" ({criterion.where})" if criterion.where else "")]
    if score.pages and criterion.kind is not Kind.CODE:
        shown = ", ".join(f"{score.submission}/{page}" for page in score.pages)
        told[0] = f"{told[0].rstrip('.')}. Pages to see: {shown}."
    if criterion.earlier is not None:
        told.append(f"Decided before: {criterion.earlier}")
    return " ".join(told)


# ---------------------------------------------------------------------- reading


def read_review(
    path: Path, scores: Iterable[Score], in_common: Iterable[InCommon] = ()
) -> list[Decision]:
    """The decisions in a filled-in review.csv, in the file's order.

    Rows with neither points nor a comment are not decided yet and left out. Accepts what
    spreadsheets make of the file: a byte order mark or none, UTF-16, semicolons or tabs as
    separators, decimal commas, columns in another order. "ok" takes what is suggested. Raises one
    UsageError that lists every line that does not fit.
    """
    rows, problems = read_rows(path, read_text(path))
    known, copied = _open_criteria(scores), copied_tables(in_common)
    decisions: dict[tuple[str, str], tuple[int, Decision]] = {}
    for row in rows:
        try:
            decision = _decision(row, known, copied)
            key = (decision.submission, decision.criterion)
            if key in decisions:
                raise _Misfit(f"{' '.join(key)} is already in line {decisions[key][0]}")
        except _Misfit as misfit:
            problems.append((row.line, str(misfit)))
        else:
            decisions[key] = (row.line, decision)
    if problems:
        raise refusal(path, problems)
    return [d for _, d in decisions.values() if d.earned is not None or d.comment]


class _Misfit(Exception):
    """Why one row cannot be taken."""


def _open_criteria(scores: Iterable[Score]) -> dict[str, tuple[str, dict[str, CriterionScore]]]:
    """Submission as written in a cell -> its id and its criteria, as written in cells."""
    return {
        text_cell(s.submission): (s.submission, {text_cell(c.id): c for c in s.criteria})
        for s in scores
    }


def _decision(
    row: Row,
    known: dict[str, tuple[str, dict[str, CriterionScore]]],
    copied: Mapping[tuple[str, str], str],
) -> Decision:
    name = row.cells["submission"].strip()
    if name not in known:
        raise _Misfit(f"unknown submission {name!r}{_nearest(name, known)}")
    submission, criteria = known[name]
    id_ = row.cells["criterion"].strip()
    if id_ not in criteria:
        raise _Misfit(f"unknown criterion {id_!r} of {name}{_nearest(id_, criteria)}")
    criterion = criteria[id_]
    earned = _points(row.cells["earned"].strip(), criterion, copied.get((submission, criterion.id)))
    comment = typed(row.cells["comment"])
    if not open_to_decision(criterion):
        raise _Misfit(
            f"{id_} of {name} does not wait for a person: the checks gave "
            f"{number_cell(criterion.earned)} of {number_cell(criterion.points)}; "
            "use an override in class.toml to change that"
        )
    return Decision(submission, criterion.id, earned, comment)


def _points(cell: str, criterion: CriterionScore, copied: str | None) -> float | None:
    if not cell:
        return None
    highest = number_cell(criterion.points)
    if cell.lower() == ACCEPTED:
        if criterion.state is State.PENDING:
            raise _Misfit(f"earned: nothing is suggested; expected a number from 0 to {highest}")
        if criterion.state is State.PROVISIONAL and copied:
            raise _Misfit(f"earned: {copied}; expected a number from 0 to {highest}")
        return criterion.earned
    if not _NUMBER.fullmatch(cell):
        raise _Misfit(
            f"earned: expected a number from 0 to {highest}, found {cell[:40]!r}"
            + (" (did the spreadsheet make a date of it?)" if re.search(r"\d\D+\d", cell) else "")
        )
    value = float(cell.replace(",", "."))
    if not 0 <= value <= criterion.points:
        raise _Misfit(f"earned: expected 0 to {highest}, found {cell[:40]}")
    return value


def _nearest(name: str, known: Iterable[str]) -> str:
    close: Sequence[str] = get_close_matches(name, list(known), 1, 0.5)
    return f"; did you mean {close[0]!r}?" if close else ""
