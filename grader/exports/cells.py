"""Cells of a CSV file that a spreadsheet shows as they are meant.

Files are UTF-8 with a byte order mark: without it Excel reads UTF-8 as the local code page and
spoils every name that is not English. LibreOffice, Google Sheets, Moodle and Python's
"utf-8-sig" accept the mark. Separator and decimal sign are comma and point, whatever the locale,
so that equal results are equal bytes.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from grader.files import whole_file

#: Excel shows no more than 32,767 characters in a cell.
LONGEST = 8000

_LINE_BREAKS = re.compile(r"\s*[\r\n\v\f\x85\u2028\u2029]+\s*")
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_FORMULA = "=+\\-@＝＋－＠"
_STARTS_FORMULA = re.compile(rf"'*[{_FORMULA}]")
_GUARDED = re.compile(rf"'+[{_FORMULA}]")
# Where the list separator is a semicolon, a spreadsheet also begins a cell after each of these.
_INNER_FORMULA = re.compile(rf";(\s*)(?=[{_FORMULA}])")


def text_cell(text: str | None) -> str:
    """`text` on one line, and never a formula.

    A spreadsheet computes what begins with = + - or @, and a name may be chosen by whoever
    wishes the instructor ill. Such text gets an apostrophe in front; `typed` takes it off.
    """
    line = _UNSEEN.sub(" ", _LINE_BREAKS.sub(" / ", (text or "").strip()))[:LONGEST].strip()
    line = _INNER_FORMULA.sub(r";\1'", line)
    return f"'{line}" if _STARTS_FORMULA.match(line) else line


def typed(cell: str) -> str:
    """What a person meant by a cell: trimmed, without the apostrophe of `text_cell`."""
    cell = cell.strip()
    return cell[1:] if _GUARDED.match(cell) else cell


def number_cell(value: float | None) -> str:
    """1.5, 2 or 0.333; empty for None."""
    return "" if value is None else f"{round(value, 3):g}"


class Table:
    """Writes rows of cells as lines of CSV."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def add(self, row: Sequence[str]) -> None:
        line = io.StringIO(newline="")
        csv.writer(line, lineterminator="\r\n").writerow(row)
        self._file.write(line.getvalue().encode())

    def append(self, other: IO[bytes]) -> None:
        """All rows of another table, read from its beginning."""
        other.seek(0)
        shutil.copyfileobj(other, self._file)


@contextmanager
def whole_table(path: Path, head: Sequence[str]) -> Iterator[Table]:
    """A CSV file with this first line, renamed into place when it is complete."""
    with whole_file(path) as file:
        file.write(codecs.BOM_UTF8)
        table = Table(file)
        table.add(head)
        yield table
