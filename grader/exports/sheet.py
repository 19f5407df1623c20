"""A filled-in CSV file as people save it: its rows, with the line on which each begins.

Accepts what spreadsheets make of a file: a byte order mark or none, UTF-16, semicolons or tabs
as separators, columns in another order.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from grader.errors import UsageError

COLUMNS = (
    *("submission", "name", "criterion", "title", "points"),
    *("question", "evidence", "found", "in common", "suggested", "earned", "comment"),
)
ACCEPTED = "ok"  # in the place of points: those that are suggested
NEEDED = ("submission", "criterion", "earned", "comment")

_SEPARATORS = (",", ";", "\t")


@dataclass(frozen=True)
class Row:
    """One row of the file: its first line, counted from 1, and its cells by column."""

    line: int
    cells: dict[str, str]


def refusal(path: Path, problems: list[tuple[int, str]]) -> UsageError:
    lines = "".join(f"\n  line {line}: {text}" for line, text in sorted(problems))
    number = "1 line does" if len(problems) == 1 else f"{len(problems)} lines do"
    return UsageError(f"{path}: {number} not fit, nothing was taken over:{lines}")


def read_text(path: Path) -> str:
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


def read_rows(path: Path, text: str) -> tuple[list[Row], list[tuple[int, str]]]:
    """The rows that hold anything, and the lines with more cells than the header."""
    head = re.split(r"[\r\n]", text, maxsplit=1)[0]
    separator = max(_SEPARATORS, key=head.count)
    rows: list[Row] = []
    problems: list[tuple[int, str]] = []
    numbered = _numbered(path, text, separator)
    header = _header(path, next(numbered, (1, []))[1])
    for line, cells in numbered:
        if len(cells) > len(header):  # an unquoted 0,75 would read as 0 points and "75"
            wanted = f"expected {len(header)} cells, found {len(cells)}"
            problems.append((line, f"{wanted}; put quotes around text and decimal commas"))
        elif any(cell.strip() for cell in cells):
            padded = [*cells, *[""] * len(header)]
            rows.append(Row(line, dict(zip(header, padded, strict=False))))
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
        raise refusal(path, [(line, f"not readable as CSV: {error}")]) from error


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
