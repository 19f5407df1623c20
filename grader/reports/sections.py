"""A section of the report of a class: a title, a sentence, and a list that stays readable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import starmap
from typing import Any

from reportlab.platypus import CondPageBreak, Spacer, Table, TableStyle

from grader.reports import style
from grader.reports.blocks import Flowables, heading, plain, section
from grader.reports.text import one_line

CELL = 400  # characters
_LEAST = 110  # points of room below which a section begins on the next page


@dataclass(frozen=True)
class Column:
    """A head, and the share of the page's width; figures stand at the right."""

    head: str
    share: float
    figures: bool = False


@dataclass(frozen=True)
class Section:
    """Rows of plain text under their heads; only the first `most` are shown.

    The others are counted, and `rest` says where they are.
    """

    title: str
    text: str = ""
    columns: Sequence[Column] = ()
    rows: Sequence[Sequence[str]] = ()
    most: int = 25
    rest: str = "gradebook.csv"

    def flowables(self) -> Flowables:
        """The section on the page; nothing where it has neither text nor rows."""
        if not self.text and not self.rows:
            return []
        told = [plain(self.text, style.CELL), Spacer(1, 4)] if self.text else []
        if not self.rows:
            return [section(self.title, told)]
        head = [CondPageBreak(_LEAST), Spacer(1, 13), *heading(self.title), *told]
        shown = [*head, table(self.columns, self.rows[: self.most])]
        others = len(self.rows) - self.most
        if others > 0:
            shown.append(plain(f"and {others} more, in {self.rest}", style.NOTE))
        return shown


def table(columns: Sequence[Column], rows: Sequence[Sequence[Any]]) -> Table:
    """Rows under their heads; cells are plain text, or something drawn."""
    heads = [plain(c.head, _styled(c, style.STATE)) for c in columns]
    cells = [list(starmap(_cell, zip(row, columns, strict=True))) for row in rows]
    widths = [style.WIDTH * column.share for column in columns]
    return Table([heads, *cells], colWidths=widths, repeatRows=1, style=_LOOK)


_LOOK = TableStyle(
    [
        ("BACKGROUND", (0, 0), (-1, 0), style.PAPER),
        ("LINEBELOW", (0, 1), (-1, -1), 0.5, style.RULE),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 5),
        ("RIGHTPADDING", (0, 0), (-1, -1), 5),
        ("TOPPADDING", (0, 0), (-1, -1), 3),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 3.5),
        ("NOSPLIT", (0, 0), (-1, 1)),
    ]
)


def _cell(cell: Any, column: Column) -> Any:
    if not isinstance(cell, str):
        return cell
    return plain(one_line(cell, CELL), _styled(column, style.CELL))


def _styled(column: Column, styled: Any) -> Any:
    return style.RIGHT[styled.name] if column.figures else styled
