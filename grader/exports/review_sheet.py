"""review.csv: what waits for a person, to be filled in with a spreadsheet and read back."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from grader.errors import UsageError
from grader.exports.cells import number_cell, text_cell, typed, write_table
from grader.exports.decisions import Decision, open_to_decision
from grader.records import CriterionScore, Score, State

COLUMNS = (
    *("submission", "name", "criterion", "title", "points"),
    *("question", "evidence", "found", "earned", "comment"),
)
NEEDED = ("submission", "criterion", "earned", "comment")

_SEPARATORS = (",", ";", "\t")
_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?")


def write_review(path: Path, scores: Iterable[Score]) -> None:
    """Write a row for each criterion that waits for a person, by submission.

    Below them come the rows that a person decided before, points and comment filled in, so
    that the file keeps every decision and a slip can be corrected.
    """
    rows = [
        (criterion.state is State.FINAL, _row(score, criterion))
        for score in sorted(scores, key=lambda score: score.submission)
        for criterion in score.criteria
        if open_to_decision(criterion)
    ]
    rows.sort(key=lambda row: row[0])  # keeps the order within each half
    write_table(path, [COLUMNS, *(row for _, row in rows)])


def _row(score: Score, criterion: CriterionScore) -> list[str]:
    decided = criterion.state is State.FINAL
    return [
        text_cell(score.submission),
        text_cell(score.student.name),
        text_cell(criterion.id),
        text_cell(criterion.title),
        number_cell(criterion.points),
        text_cell(criterion.question),
        text_cell(criterion.evidence),
        text_cell(criterion.found),
        number_cell(criterion.earned if decided else None),
        text_cell(criterion.comment),
    ]


def keep_filled_in(path: Path) -> Path | None:
    """Before a new run writes its review sheet: set one aside that a person worked on.

    Returns its new place, numbered so that no earlier one is lost; None where there is none.
    """
    if not path.exists():
        return None
    try:
        rows, problems = _rows(path, _text(path))
    except UsageError:
        rows, problems = [], [(1, "unreadable: perhaps somebody's work all the same")]
    filled = any(row.cells["earned"].strip() or row.cells["comment"].strip() for row in rows)
    if not filled and not problems:
        return None
    number = 1
    while (kept := path.with_stem(f"{path.stem}.kept-{number}")).exists():
        number += 1
    return path.rename(kept)


# ---------------------------------------------------------------------- reading


def read_review(path: Path, scores: Iterable[Score]) -> list[Decision]:
    """The decisions in a filled-in review.csv, in the file's order.

    Rows with neither points nor a comment are not decided yet and left out. Accepts what
    spreadsheets make of the file: a byte order mark or none, UTF-16, semicolons or tabs as
    separators, decimal commas, columns in another order. Raises one UsageError that lists
    every line that does not fit.
    """
    rows, problems = _rows(path, _text(path))
    known = _open_criteria(scores)
    decisions: dict[tuple[str, str], tuple[int, Decision]] = {}
    for row in rows:
        try:
            decision = _decision(row, known)
            key = (decision.submission, decision.criterion)
            if key in decisions:
                raise _Misfit(f"{' '.join(key)} is already in line {decisions[key][0]}")
        except _Misfit as misfit:
            problems.append((row.line, str(misfit)))
        else:
            decisions[key] = (row.line, decision)
    if problems:
        raise _refusal(path, problems)
    return [d for _, d in decisions.values() if d.earned is not None or d.comment]


class _Misfit(Exception):
    """Why one row cannot be taken."""


@dataclass(frozen=True)
class _Row:
    """One row of the file: its first line, counted from 1, and its cells by column."""

    line: int
    cells: dict[str, str]


def _refusal(path: Path, problems: list[tuple[int, str]]) -> UsageError:
    lines = "".join(f"\n  line {line}: {text}" for line, text in sorted(problems))
    number = "1 line does" if len(problems) == 1 else f"{len(problems)} lines do"
    return UsageError(f"{path}: {number} not fit, nothing was taken over:{lines}")


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read",
            found=error.strerror or str(error),
            do="name the results folder that `grade` wrote",
        ) from error
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(
            f"{path}, line {line}",
            expected="UTF-8 text",
            found="bytes of another encoding",
            do='save it as "CSV UTF-8"',
        ) from error


def _rows(path: Path, text: str) -> tuple[list[_Row], list[tuple[int, str]]]:
    """The rows that hold anything, and the lines with more cells than the header."""
    head = re.split(r"[\r\n]", text, maxsplit=1)[0]
    separator = max(_SEPARATORS, key=head.count)
    rows: list[_Row] = []
    problems: list[tuple[int, str]] = []
    numbered = _numbered(path, text, separator)
    header = _header(path, next(numbered, (1, []))[1])
    for line, cells in numbered:
        if len(cells) > len(header):  # an unquoted 0,75 would read as 0 points and "75"
            wanted = f"expected {len(header)} cells, found {len(cells)}"
            problems.append((line, f"{wanted}; put quotes around text and decimal commas"))
        elif any(cell.strip() for cell in cells):
            padded = [*cells, *[""] * len(header)]
            rows.append(_Row(line, dict(zip(header, padded, strict=False))))
    return rows, problems


def _numbered(path: Path, text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Rows with the line on which each begins; a quoted cell may span several lines."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    line = 1
    try:
        for cells in reader:
            yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise _refusal(path, [(line, f"not readable as CSV: {error}")]) from error


def _header(path: Path, cells: list[str]) -> list[str]:
    header = [cell.strip().lower() for cell in cells]
    missing = [column for column in NEEDED if column not in header]
    twice = sorted({column for column in header if column and header.count(column) > 1})
    if missing or twice:
        what = f"no column {', '.join(missing)}" if missing else f"two columns {', '.join(twice)}"
        raise UsageError(
            f"{path}, line 1: {what}",
            expected=f"the columns {', '.join(COLUMNS)}",
            found=", ".join(header) or "an empty file",
            do="keep the first line as `grade` wrote it",
        )
    return header


def _open_criteria(scores: Iterable[Score]) -> dict[str, tuple[str, dict[str, CriterionScore]]]:
    """Submission as written in a cell -> its id and its criteria, as written in cells."""
    return {
        text_cell(s.submission): (s.submission, {text_cell(c.id): c for c in s.criteria})
        for s in scores
    }


def _decision(row: _Row, known: dict[str, tuple[str, dict[str, CriterionScore]]]) -> Decision:
    name = row.cells["submission"].strip()
    if name not in known:
        raise _Misfit(f"unknown submission {name!r}{_nearest(name, known)}")
    submission, criteria = known[name]
    id_ = row.cells["criterion"].strip()
    if id_ not in criteria:
        raise _Misfit(f"unknown criterion {id_!r} of {name}{_nearest(id_, criteria)}")
    criterion = criteria[id_]
    earned = _points(row.cells["earned"].strip(), criterion)
    comment = typed(row.cells["comment"])
    if not open_to_decision(criterion):
        raise _Misfit(
            f"{id_} of {name} does not wait for a person: the checks gave "
            f"{number_cell(criterion.earned)} of {number_cell(criterion.points)}; "
            "use an override in class.toml to change that"
        )
    return Decision(submission, criterion.id, earned, comment)


def _points(cell: str, criterion: CriterionScore) -> float | None:
    if not cell:
        return None
    highest = number_cell(criterion.points)
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
