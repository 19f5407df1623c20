"""The lines of a report, and what in each may be a heading."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, replace

from grader.intake import headings
from grader.intake.heading_words import CONTENTS
from grader.intake.reading.rows import cells_of, is_row
from grader.intake.report_text import clean
from grader.records import Report


@dataclass(frozen=True)
class Line:
    """A line, its page, and what may be a heading in it: nothing in a table or in code."""

    text: str
    page: int
    heading: str


@functools.lru_cache(maxsize=2)  # each criterion asks
def lines_of(report: Report, *, tables: bool) -> list[Line]:
    """All lines. With `tables`, the first cell of a row may be a heading too."""
    lines: list[Line] = []
    for page, text in enumerate(report.pages, 1):
        lines += [Line(line, page, line) for line in clean(text).split("\n")]
    fences = [n for n, line in enumerate(lines) if line.text.startswith(("```", "~~~"))]
    code = {n for a, b in zip(fences[::2], fences[1::2], strict=False) for n in range(a, b + 1)}
    code |= _contents(lines)
    return [
        replace(line, heading="" if n in code else _heading_in(line.text, tables))
        for n, line in enumerate(lines)
    ]


def _heading_in(text: str, tables: bool) -> str:
    if not is_row(text):
        return headings.heading_in(text)
    return next(filter(None, cells_of(text)), "")[:60] if tables else ""


def _contents(lines: list[Line]) -> set[int]:
    """The lines of a table of contents without dots: each ends in a page number, as they rise."""
    found: set[int] = set()
    for start, line in enumerate(lines):
        if line.text.strip("#*_: ").lower() not in CONTENTS:
            continue
        last, entries = 0, [""]
        for n in range(start + 1, min(start + 200, len(lines))):
            page = re.search(r"(?:^|\s)(\d{1,3})$", lines[n].text)
            announced = any(entry.startswith(lines[n].text) for entry in entries)
            if page is None or int(page[1]) < last or announced or len(lines[n].text) > 90:
                break
            last = int(page[1])
            entries.append(lines[n].text)
            found.add(n)
    return found


def wraps(lines: list[Line], n: int) -> bool:
    """Whether the line above breaks off in a sentence: "as was seen in" above "Task 1. It"."""
    above = lines[n - 1].text if n else ""
    return len(above) > 50 and not is_row(above) and (above[-1].islower() or above[-1] == ",")
