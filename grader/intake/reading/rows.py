"""How a row of a table stands in the text of a report: `| cell | cell |`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

#: What Markdown puts below the head of a table: `|---|:-:|`.
_RULER = re.compile(r"[\s|:+=_-]*-[\s|:+=_-]*")
_CELL_ENDS = re.compile(r"(?<!\\)\|")


def as_rows(table: Iterable[Sequence[str]]) -> list[str]:
    """Lines for a table, without empty columns and rows; what would end a cell is escaped."""
    rows = [[_cleaned(cell) for cell in row] for row in table]
    width = max(map(len, rows), default=0)
    filled = [any(len(row) > n and row[n] for row in rows) for n in range(width)]
    kept = [[cell for cell, keep in zip(row, filled, strict=False) if keep] for row in rows]
    wide = sum(filled)
    return [f"| {' | '.join(row + [''] * (wide - len(row)))} |" for row in kept if any(row)]


def is_row(line: str) -> bool:
    """Whether a line is a row of a table."""
    text = line.strip()
    return len(text) > 1 and text[0] == "|" and text[-1] == "|"


def cells_of(line: str) -> list[str]:
    """The cells of a row, as they were before they became a line."""
    inner = _CELL_ENDS.split(line.strip().strip("|") if "\\|" not in line else line.strip()[1:-1])
    return [cell.replace("\\|", "|").strip() for cell in inner]


def is_ruler(line: str) -> bool:
    """Whether a line only parts a table's head from its body."""
    return "|" in line and bool(_RULER.fullmatch(line))


def _cleaned(cell: str) -> str:
    return " ".join(re.sub(r"(?<!\\)\|", r"\\|", cell).split())
