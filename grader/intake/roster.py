"""The class list: a CSV file with the columns id and name."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from grader.errors import UsageError
from grader.intake.names import brief, readable

_COLUMNS = ("id", "name")


@dataclass(frozen=True)
class Roster:
    """Names by submission id; `file` is None where the class has no roster."""

    file: str | None = None
    names: dict[str, str] = field(default_factory=dict)


def read_roster(path: Path) -> Roster:
    """Read a roster as spreadsheets save it: commas or semicolons, other columns allowed.

    Raises UsageError with one line per mistake.
    """
    rows = _rows(path)
    number, head = next(rows, (1, []))
    columns = [title.strip().lower() for title in head]
    if any(columns.count(column) != 1 for column in _COLUMNS):
        raise UsageError(
            f"{path.name}, line {number}: the first line names the columns",
            expected="id,name",
            found=brief(",".join(head)) or "nothing",
        )
    places = [columns.index(column) for column in _COLUMNS]
    names: dict[str, str] = {}
    lines: dict[str, int] = {}
    mistakes = []
    for number, row in rows:
        key, name = (readable("".join(row[place : place + 1]).strip()) for place in places)
        if not key or not name:
            mistakes.append(
                f"{path.name}, line {number}: expected an id and a name, found {brief(str(row))}"
            )
        elif key in names:
            mistakes.append(
                f"{path.name}, line {number}: id {brief(key)!r} is on line {lines[key]} already"
            )
        else:
            names[key], lines[key] = name, number
    if mistakes:
        raise UsageError("\n".join(mistakes))
    return Roster(path.name, names)


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """(line, cells) of every row that is not blank."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{path.name} is not UTF-8 text",
            found=f"byte 0x{error.object[error.start]:02x} at position {error.start}",
            do='save it as "CSV UTF-8"',
        ) from error
    except OSError as error:
        raise UsageError(f"{path.name} cannot be read: {error.strerror}") from error
    head = text.lstrip().partition("\n")[0]
    delimiter = next((mark for mark in ",;\t" if mark in head), ",")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                yield reader.line_num, row
    except csv.Error as error:
        raise UsageError(f"{path.name}, line {reader.line_num}: {error}") from error
