"""Cells of a CSV file that a spreadsheet shows as they are meant.

Files are UTF-8 with a byte order mark: without it Excel reads UTF-8 as the local code page and
spoils every name that is not English. LibreOffice, Google Sheets, Moodle and Python's
"utf-8-sig" accept the mark. Separator and decimal sign are comma and point, whatever the locale,
so that equal results are equal bytes.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from grader.records import write_bytes

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


def write_table(path: Path, rows: Iterable[Sequence[str]]) -> None:
    """Write a CSV file whole, then rename it into place."""
    table = io.StringIO(newline="")
    csv.writer(table, lineterminator="\r\n").writerows(rows)
    write_bytes(path, table.getvalue().encode("utf-8-sig"))
