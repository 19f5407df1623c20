"""Tables in the text of a report, as data: columns with a kind, cells with quantities.

Nothing is judged here: what a number should be, who reads the columns knows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from grader.intake.quantities import Quantity, has_decimal_commas, quantities, unit_in
from grader.intake.reading.rows import cells_of, is_row, is_ruler

#: Words that a column of each kind is headed with; the first kind that fits is it.
KINDS: Mapping[str, tuple[str, ...]] = {
    "memory": ("memory", "mem", "vram", "allocated", "mälu", "память", "памяти"),
    "time": ("time", "latency", "duration", "aeg", "ajakulu", "kestus", "время", "ms"),
    "transfers": ("transfer", "copies", "ülekande", "ülekanne", "liikumis", "передач"),
    "depth": ("depth", "layers", "sügavus", "kihte", "kihti", "kihtide", "kihid", "глубина"),
    "gpus": ("gpus", "gpu", "devices", "config", "seadmeid", "видеокарт"),
}
_MEASURED = {"memory", "time", "transfers"}
_WIDEST = 60  # columns; what has more is no table of a report
_LONGEST = 500  # rows that are read
_KIND_OF_UNIT = {"gpus": "gpus", "layers": "depth", "transfers": "transfers"}


@dataclass(frozen=True)
class Cell:
    """`quantities` have the unit of the column's head, where they have none of their own."""

    text: str
    quantities: tuple[Quantity, ...] = ()


@dataclass(frozen=True)
class Column:
    """Cells under one head; `kind` is a key of KINDS, or None."""

    label: str
    kind: str | None
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Table:
    """Columns of equal length. A table whose heads stand at the left was turned: `transposed`.

    `line` is where it begins in the text, counted from 0.
    """

    columns: tuple[Column, ...]
    line: int
    transposed: bool = False

    def column(self, kind: str) -> Column | None:
        """The first column of a kind."""
        return next((column for column in self.columns if column.kind == kind), None)

    def rows(self) -> Iterator[dict[str, Cell]]:
        """The cells of each row by the kind of their column; of several columns, the first."""
        named = {column.kind: column for column in reversed(self.columns) if column.kind}
        for n in range(len(self.columns[0].cells) if self.columns else 0):
            yield {kind: column.cells[n] for kind, column in named.items()}


def tables_in(text: str, kinds: Mapping[str, Sequence[str]] = KINDS) -> list[Table]:
    """All tables of a text, and lists such as "DEPTH 6: 8.1 ms" that are one, in their order."""
    lines = text.split("\n")
    found: list[Table] = []
    at = 0
    while at < len(lines):
        end = at
        while end < len(lines) and (is_row(lines[end]) or is_ruler(lines[end])):
            end += 1
        rows = [cells_of(line) for line in lines[at:end] if not is_ruler(line)]
        if len(rows) > 1 and max(map(len, rows)) <= _WIDEST:
            found.append(_table(rows[:_LONGEST], at, kinds))
        elif end == at and (listed := _list(lines, at, kinds)) is not None:
            found.append(listed)
            end = at + len(listed.columns[0].cells)
        at = max(end, at + 1)
    return found


# ---------------------------------------------------------------------- rows


def _table(rows: Sequence[Sequence[str]], line: int, kinds: Mapping[str, Sequence[str]]) -> Table:
    width = max(map(len, rows))
    grid = [[*row, *[""] * (width - len(row))] for row in rows]
    turned = [list(column) for column in zip(*grid, strict=True)]
    transposed = _headed(turned, kinds) > max(0, _headed(grid, kinds))  # a table may lack heads
    grid = turned if transposed else grid
    heads = _heads(grid)
    comma = has_decimal_commas(cell for row in grid for cell in row) or _is_estonian(grid)
    columns = []
    for column in zip(*grid, strict=True):
        label = " ".join(filter(None, column[:heads]))
        columns.append(_column(label, column[heads:], comma, kinds))
    return Table(tuple(columns), line, transposed)


def _headed(grid: Sequence[Sequence[str]], kinds: Mapping[str, Sequence[str]]) -> float:
    """How much the first row looks like heads, or the second, below heads of several columns."""
    return max(_like_heads(row, kinds) for row in grid[:2])


def _like_heads(row: Sequence[str], kinds: Mapping[str, Sequence[str]]) -> float:
    """Known kinds count most, each once ("with 2 GPUs", "with 3 GPUs"), numbers count against."""
    labels = [cell for cell in row if cell and not _starts_with_number(cell)]
    known = {_kind(cell, kinds) for cell in labels} - {None}
    numbers = sum(map(_starts_with_number, row))
    return len(known) - 0.5 * numbers + 0.1 * (len(labels) == len(row))


def _heads(grid: Sequence[Sequence[str]]) -> int:
    """How many rows are heads: those before the first with a number in half of its cells.

    Above a row of heads, "2 GPUs" over several columns is one too.
    """
    numbered = [
        sum(map(_starts_with_number, row)) >= max(1, sum(map(bool, row)) / 2) for row in grid
    ]
    if numbered[0] and len(grid) > 2 and not numbered[1] and numbered[2]:
        return 2
    first = next((n for n, is_numbered in enumerate(numbered) if is_numbered), 1)
    return min(first, 3, len(grid) - 1)


def _starts_with_number(cell: str) -> bool:
    return bool(re.match(r"[~≈<>±−-]?\s*\d", cell))


def _is_estonian(grid: Sequence[Sequence[str]]) -> bool:
    """No number tells, but the words do: where they are Estonian, commas are decimal."""
    words = " ".join(cell for row in grid for cell in row).lower()
    return any(word in words for word in ("aeg", "mälu", "kiht", "kihi", "sügavus"))


def _column(
    label: str, texts: Sequence[str], comma: bool, kinds: Mapping[str, Sequence[str]]
) -> Column:
    unit = unit_in(label)
    cells = tuple(
        Cell(
            text,
            tuple(
                replace(q, unit=unit) if q.unit is None else q
                for q in quantities(text, decimal_comma=comma)
            ),
        )
        for text in texts
    )
    kind = _kind(label, kinds)
    of_cells = _kind_of_cells(cells)
    if of_cells is not None and (kind is None or of_cells in ("time", "memory")):
        kind = of_cells
    return Column(label, kind, cells)


def _kind(label: str, kinds: Mapping[str, Sequence[str]]) -> str | None:
    of_unit = _kind_of(Quantity(1, unit_in(label)))
    if of_unit is not None:
        return of_unit
    words = re.findall(r"[^\W\d_]+", label.lower())
    for kind, own in kinds.items():
        if kind == "depth" and "per" in words:
            continue  # layers per GPU
        if any(_is_form_of(word, w) for word in words for w in own):
            return kind
    return None


def _is_form_of(word: str, own: str) -> bool:
    """True for "kihtide" of "kiht", and for "sammuaeg", which ends in "aeg"."""
    return word.startswith(own) or (len(own) > 2 and word.endswith(own))


def _kind_of_cells(cells: Sequence[Cell]) -> str | None:
    """What the units of most cells say."""
    said = [_kind_of(cell.quantities[0]) for cell in cells if cell.quantities]
    top = max(set(said), key=said.count, default=None)
    return top if said.count(top) * 2 > len(cells) else None


def _kind_of(quantity: Quantity) -> str | None:
    if quantity.seconds is not None:
        return "time"
    if quantity.bytes is not None:
        return "memory"
    return _KIND_OF_UNIT.get(quantity.unit or "")


# ---------------------------------------------------------------------- lists


def _list(lines: Sequence[str], at: int, kinds: Mapping[str, Sequence[str]]) -> Table | None:
    """The table that lines are, of which each has a size and what was measured at it."""
    first = _measured(lines[at], kinds)
    wanted = [kind for kind, _ in first]
    if not wanted or wanted[0] not in ("depth", "gpus") or not _MEASURED & set(wanted[1:]):
        return None
    rows = [first]
    for line in lines[at + 1 : at + _LONGEST]:
        row = _measured(line, kinds)
        if [kind for kind, _ in row] != wanted:
            break
        rows.append(row)
    if len(rows) < 2:
        return None
    columns = zip(*rows, strict=True)
    cells = [(column[0][0], tuple(cell for _, cell in column)) for column in columns]
    return Table(tuple(Column(kind, kind, own) for kind, own in cells), at)


def _measured(line: str, kinds: Mapping[str, Sequence[str]]) -> list[tuple[str, Cell]]:
    """What a line says by kind; empty where a number in it has none, or it is prose."""
    if len(line) > 120 or is_row(line):
        return []
    comma = has_decimal_commas([line])
    label, sign, said = re.sub(r"^[\s•*·-]*(?:\d+[.)]\s+)?", "", line).partition(":")
    if not sign:
        label, sign, said = line.strip().partition("=>" if "=>" in line else "->")
    sizes = quantities(label, decimal_comma=comma)
    if len(sizes) != 1 or not sign or _kind_of(sizes[0]) is None:
        return []
    found = [(_kind_of(size), Cell(label.strip(), (size,))) for size in sizes]
    for part in re.split(r",\s+(?=[^\d\s~])|;\s+|\s\|\s|(?<=[a-zB])\s*,\s+", said):
        own = quantities(part, decimal_comma=comma)
        kind = (own and _kind_of(own[0])) or _kind(part, kinds) or _kind_without_sizes(label, kinds)
        if own:
            found.append((kind or None, Cell(part.strip(), own)))
    named = [(kind, cell) for kind, cell in found if kind is not None]
    return named if len(named) == len(found) else []


def _kind_without_sizes(label: str, kinds: Mapping[str, Sequence[str]]) -> str | None:
    """What "Number of transfers with 2 GPUs" counts."""
    kind = _kind(re.sub(r"\d+\s*\S+", "", label), kinds)
    return kind if kind in _MEASURED else None
