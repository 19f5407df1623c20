"""Columns of words: the white strips between them, and rows made of what stands in each."""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Sequence

from grader.intake.reading.pdf_page import Word

Row = list[Word]

#: How a number, or what stands for one in a table, begins.
NUMBER = re.compile(r"[~≈±<>+−–-]?\s*[\d.,]*\d|(?i:oom|n/?a|-+|–|—)$")
_LABEL = re.compile(r"\(?[0-9a-zA-Z]{1,3}[.)]|[•·▪◦●○■–—*-]|\[\d+\]")


def pieces(row: Row, gap: float = 0.8) -> list[Row]:
    """A line, cut where white space is wider than `gap` times the font."""
    cut: list[Row] = []
    for word in row:
        if cut and word.x0 - cut[-1][-1].x1 < gap * max(word.size, cut[-1][-1].size):
            cut[-1].append(word)
        else:
            cut.append([word])
    return cut


def strips(rows: Sequence[Row], gap: float = 0.5) -> list[float]:
    """The middles of the white strips that no word of any row crosses."""
    words = sorted((word for row in rows for word in row), key=lambda w: w.x0)
    found: list[float] = []
    reach = words[0].x1 if words else 0.0
    for word in words:
        if word.x0 - reach > gap * word.size:
            found.append((word.x0 + reach) / 2)
        reach = max(reach, word.x1)
    return found


def cells(row: Row, edges: Sequence[float]) -> list[str]:
    """What stands between the edges. A piece that crosses one belongs where it begins."""
    found = [""] * (len(edges) + 1)
    for piece in pieces(row, 0.5):
        ends = {bisect(edges, (word.x0 + word.x1) / 2) for word in piece}
        crosses = any(word.x0 < edge < word.x1 for word in piece for edge in edges)
        for word in piece:
            column = min(ends) if crosses else bisect(edges, (word.x0 + word.x1) / 2)
            found[column] = f"{found[column]} {word.text}".strip()
    return found


def join(rows: Sequence[Sequence[str]]) -> list[str]:
    """One row out of several lines of it."""
    return [" ".join(filter(None, column)) for column in zip(*rows, strict=True)]


def numeric(cell: str) -> bool:
    return bool(NUMBER.match(cell))


def separate(lines: Sequence[Sequence[str]]) -> list[list[str]]:
    """The rows that lines of cells are, where no rule parts them.

    A line with an empty first cell goes on with the row above it, or, where that has no text
    yet below it in any of the same columns, is a row of its own if it is full of numbers.
    """
    rows: list[list[list[str]]] = []
    for line in lines:
        goes_on = not line[0] and sum(map(bool, line)) < max(2, len(line) - 1)
        if rows and goes_on and any(rows[-1][-1]):
            rows[-1].append(list(line))
        else:
            rows.append([list(line)])
    return [join(row) for row in rows]


def stacked(lines: Sequence[Sequence[str]]) -> bool:
    """Whether lines in one ruled box are rows of a table: numbers below numbers, twice."""
    full = [line for line in lines if sum(map(bool, line)) > 1]
    if len(full) < 2:
        return False
    columns = list(zip(*full, strict=True))
    return sum(all(map(numeric, column)) for column in columns) >= min(2, len(columns))


def is_list(lines: Sequence[Sequence[str]]) -> bool:
    """Whether the first column holds but bullets or numbers, as of a list."""
    firsts = [line[0] for line in lines if line[0]]
    return bool(firsts) and all(_LABEL.fullmatch(first) for first in firsts)
