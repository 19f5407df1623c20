"""Tables of a page: with rules all around, with a few rules across, with none.

Precision comes first: where prose became a table its words would be torn apart, while rows of
an unnoticed table still stand on their lines.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from grader.intake.reading.columns import (
    cells,
    is_list,
    join,
    numeric,
    pieces,
    separate,
    stacked,
    strips,
)
from grader.intake.reading.lines import Line, visual_lines
from grader.intake.reading.pdf_page import Box, PdfPage, Word
from grader.intake.reading.rules import Grid, as_they_look, grids, of_one_width


@dataclass
class FoundTable:
    rows: list[list[str]]
    words: set[int]  # by id()


def tables_of(page: PdfPage, lines: Sequence[Line]) -> list[FoundTable]:
    """The tables of a page; no word is in two of them."""
    across, down = as_they_look(page.rules)
    found: list[FoundTable] = []
    free = list(page.words)
    for inner in grids(across, down):
        _take(found, free, _grid(free, inner))
    for rules in of_one_width(across):
        for table in _between(free, rules):
            _take(found, free, table)
    taken = {word for table in found for word in table.words}
    for table in _unruled([line for line in lines if not taken & set(map(id, line.words))]):
        _take(found, free, table)
    return found


def _take(found: list[FoundTable], free: list[Word], table: FoundTable | None) -> None:
    if table is not None:
        found.append(table)
        free[:] = [word for word in free if id(word) not in table.words]


# ---------------------------------------------------------------------- rules all around


def _inside(words: Iterable[Word], x0: float, y0: float, x1: float, y1: float) -> list[Word]:
    return [
        w for w in words if x0 - 1 < (w.x0 + w.x1) / 2 < x1 + 1 and y0 < w.base - 0.3 * w.size < y1
    ]


def _grid(words: list[Word], rules: Grid) -> FoundTable | None:
    xs, ys = rules.xs, rules.ys
    inside = _inside(words, xs[0], ys[0], xs[-1], ys[-1])
    if len({bisect(xs, (w.x0 + w.x1) / 2) for w in inside}) < 2:
        return None  # a frame, around code for example
    edges = xs[1:-1]
    rows: list[list[str]] = []
    open_below = [False] * (len(edges) + 1)
    for top, bottom in pairwise(ys):
        box = _inside(inside, xs[0], top, xs[-1], bottom)
        lines = [_ruled_cells(line, edges, top, bottom, rules) for line in visual_lines(box)]
        spans = [not rules.above(a, b, top) for a, b in pairwise(xs)]
        if not lines:
            continue
        if stacked(lines):
            rows += separate(lines)
        elif rows and any(spans) and any(open_below):
            _grow(rows, join(lines), spans)
        else:
            rows.append(join(lines))
        open_below = [not rules.above(a, b, bottom) for a, b in pairwise(xs)]
    return FoundTable(rows, set(map(id, inside))) if _is_table(rows, ruled=True) else None


def _ruled_cells(
    line: list[Word], edges: list[float], top: float, bottom: float, rules: Grid
) -> list[str]:
    """Cells of one line. Where no rule parts two of them, they are one: the left one."""
    found = [""] * (len(edges) + 1)
    into = list(range(len(found)))
    for n, edge in enumerate(edges, 1):
        if not rules.left(top, bottom, edge):
            into[n] = into[n - 1]
    for word in line:
        column = into[bisect(edges, (word.x0 + word.x1) / 2)]
        found[column] = f"{found[column]} {word.text}".strip()
    return found


def _grow(rows: list[list[str]], line: list[str], spans: list[bool]) -> None:
    """Add a row in which some cells go on from above: their text moves up to where they begin."""
    below = [""] * len(line)
    for n, text in enumerate(line):
        if not text:
            continue
        if spans[n]:
            rows[-1][n] = f"{rows[-1][n]} {text}".strip()
        else:
            below[n] = text
    if any(below):
        rows.append(below)


# ---------------------------------------------------------------------- a few rules across


def _between(words: list[Word], rules: list[Box]) -> list[FoundTable]:
    """Tables between rules of one width: as many neighbouring strips as hold columns."""
    found: list[FoundTable] = []
    run: list[list[list[Word]]] = []
    for upper, lower in pairwise(rules):
        inside = _inside(words, upper.x0 - 2, upper.y0, upper.x1 + 2, lower.y0)
        lines = visual_lines(inside)
        if lines and _in_columns(lines):
            run = run or _head_above(words, upper, lines[0])
            run.append(lines)
        elif lines:
            found += _ended(run)
            run = []
    return found + _ended(run)


def _head_above(words: list[Word], rule: Box, first: list[Word]) -> list[list[list[Word]]]:
    """The head of a table that has its first rule below it."""
    height = 2.2 * max(word.size for word in first)
    lines = visual_lines(_inside(words, rule.x0 - 2, rule.y0 - height, rule.x1 + 2, rule.y0))
    if not lines or len(pieces(lines[-1])) < 2 or not any(numeric(w.text) for w in first):
        return []
    return [[lines[-1]]] if not any(numeric(word.text) for word in lines[-1]) else []


def _in_columns(lines: list[list[Word]]) -> bool:
    parted = [len(pieces(line)) > 1 for line in lines]
    return sum(parted) >= 0.5 * len(lines)


def _ended(run: list[list[list[Word]]]) -> list[FoundTable]:
    lines = [line for part in run for line in part]
    parted = [line for line in lines if len(pieces(line)) > 1]
    edges = strips(parted)
    head = len(run) > 1 and len(run[0]) <= 3
    if head and len(strips([line for part in run[1:] for line in part])) > len(edges):
        edges = strips([line for part in run[1:] for line in part])  # a head spans columns
    if not edges:
        return []
    rows = [join([cells(line, edges) for line in run[0]])] if head else []
    for part in run[1:] if head else run:
        rows += separate([cells(line, edges) for line in part])
    words = {id(word) for line in lines for word in line}
    return [FoundTable(rows, words)] if _is_table(rows, ruled=True) else []


# ---------------------------------------------------------------------- no rules


def _unruled(lines: Sequence[Line]) -> list[FoundTable]:
    """Runs of lines, one close below the other, that leave the same strips white."""
    found: list[FoundTable] = []
    run: list[Line] = []
    above: Line | None = None  # the run
    for line, before in zip([*lines, None], [None, *lines], strict=True):
        if line is not None and _goes_on(run, line):
            run.append(line)
            continue
        found += _as_table(run, above)
        run = [line] if line is not None and len(pieces(line.words)) > 1 else []
        above = before
    return found


def _goes_on(run: list[Line], line: Line) -> bool:
    if not run or len(pieces(line.words)) < 2 or not _below(run[-1], line):
        return False
    return bool(strips([other.words for other in [*run, line]]))


def _below(upper: Line, lower: Line) -> bool:
    return 0 < lower.base - upper.base < 3 * max(lower.size, upper.size)


def _as_table(run: list[Line], above: Line | None) -> list[FoundTable]:
    if len(run) < 2:
        return []
    edges = strips([line.words for line in run])
    if above is not None and _below(above, run[0]):
        # A head in words may leave less white than its numbers, but more than prose does.
        whole = strips([line.words for line in [above, *run]], 0.4)
        if len(whole) >= len(edges) and not _is_table(_rows(run, edges), ruled=False):
            run, edges = [above, *run], whole
    rows = _rows(run, edges)
    if is_list(rows) or not _is_table(rows, ruled=False):
        return []
    return [FoundTable(rows, {id(word) for line in run for word in line.words})]


def _rows(run: list[Line], edges: list[float]) -> list[list[str]]:
    return [cells(line.words, edges) for line in run]


def _is_table(rows: Sequence[Sequence[str]], *, ruled: bool) -> bool:
    """Whether rows of cells are those of a table, and not of prose, a list or a page's layout.

    Without rules there must be a head in words over numbers.
    """
    full = [row for row in rows if sum(map(bool, row)) > 1]
    if len(full) < 2 or len(full) < 0.5 * len(rows):
        return False
    if ruled:
        return True
    columns = list(zip(*full, strict=True))[1:]
    return any(
        head and not numeric(head) and sum(map(_is_figure, column)) > 0.6 * len(column)
        for head, *column in columns
    )


def _is_figure(cell: str) -> bool:
    """A number with its unit, or several; no sentence that begins with one."""
    return numeric(cell) and sum(not numeric(word) for word in cell.split()) <= 3
