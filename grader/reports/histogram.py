"""How many hand-ins have how many points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from reportlab.graphics.shapes import Drawing, Line, Rect

from grader.reports.fonts import BOLD
from grader.reports.label import label
from grader.reports.points_bar import striped
from grader.reports.style import EARNED, INK, RULE

HEIGHT, BASE, ROOM = 112, 24, 62  # of the drawing, below the columns, for the columns
MOST_COLUMNS = 21


@dataclass(frozen=True)
class Counts:
    """Hand-ins by points, a column for each `step`: those that are finished, those that wait."""

    step: int
    finished: list[int]
    waiting: list[int]


def counted(totals: Sequence[tuple[float, bool]], possible: float) -> Counts:
    """Sort points, and whether some still wait, into columns from 0 to `possible`."""
    step = max(1, math.ceil((math.ceil(possible) + 1) / MOST_COLUMNS))
    columns = math.floor(possible / step) + 1
    found = Counts(step, [0] * columns, [0] * columns)
    for points, waits in totals:
        column = min(columns - 1, max(0, math.floor(points / step + 1e-9)))
        (found.waiting if waits else found.finished)[column] += 1
    return found


def histogram(counts: Counts, title: str, width: float) -> Drawing:
    """A column for each number of points: finished ones solid, those that wait striped on top."""
    drawing = Drawing(width, HEIGHT)
    label(drawing, 0, HEIGHT - 9, title, face=BOLD, size=7.6, colour=INK, anchor="start")
    both = [a + b for a, b in zip(counts.finished, counts.waiting, strict=True)]
    scale = ROOM / max([*both, 1])
    room = width / len(both)
    drawing.add(Line(0, BASE, width, BASE, strokeColor=RULE, strokeWidth=0.5))
    for n, (finished, waiting) in enumerate(zip(counts.finished, counts.waiting, strict=True)):
        x, wide = n * room + 1, room - 2
        if finished:
            drawing.add(Rect(x, BASE, wide, finished * scale, fillColor=EARNED, strokeColor=None))
        if waiting:
            striped(drawing, x, BASE + finished * scale, wide, waiting * scale)
        if both[n]:
            label(drawing, x + wide / 2, BASE + both[n] * scale + 2.5, str(both[n]), colour=INK)
        label(drawing, x + wide / 2, BASE - 9, str(n * counts.step))
    each = "points" if counts.step == 1 else f"points, {counts.step} a column"
    label(drawing, width / 2, 3, each)
    return drawing
