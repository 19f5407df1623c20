"""Points by task, at a glance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reportlab.graphics.shapes import Drawing, Line, Rect
from reportlab.platypus import Table

from grader.reports.blocks import NO_PADDING, plain
from grader.reports.fonts import BOLD
from grader.reports.label import label
from grader.reports.style import EARNED, INK, LOST, NOTE, PARTLY, WAITING


@dataclass(frozen=True)
class Segment:
    """One task in the points bar; `text` is printed below it."""

    task: str
    text: str
    earned: float
    waiting: float
    possible: float


def points_bar(segments: Sequence[Segment], width: float) -> Drawing:
    """Each task as wide as its points: earned is solid, waiting striped, the rest pale."""
    drawing = Drawing(width, 40)
    total = sum(segment.possible for segment in segments) or 1.0
    x = 0.0
    for segment in segments:
        room = width * segment.possible / total
        _segment(drawing, x, room - 2, segment)
        x += room
    return drawing


def _segment(drawing: Drawing, x: float, width: float, segment: Segment) -> None:
    y, height = 24, 13
    possible = segment.possible or 1.0
    drawing.add(Rect(x, y, width, height, fillColor=LOST, strokeColor=None))
    earned, waiting = (width * part / possible for part in (segment.earned, segment.waiting))
    if earned > 0:
        drawing.add(Rect(x, y, earned, height, fillColor=EARNED, strokeColor=None))
    if waiting > 0:
        striped(drawing, x + earned, y, waiting, height)
    middle = x + width / 2
    label(drawing, middle, 13.5, segment.task, face=BOLD, colour=INK, size=7.4)
    label(drawing, middle, 4.5, segment.text, size=7)


def striped(drawing: Drawing, x: float, y: float, width: float, height: float) -> None:
    """A rectangle for what waits: two colours, so that it is told apart without any."""
    drawing.add(Rect(x, y, width, height, fillColor=WAITING, strokeColor=None))
    offset = 4.0
    while offset < width + height:
        low = max(0.0, offset - width)
        high = min(height, offset)
        line = Line(x + offset - low, y + low, x + offset - high, y + high)
        line.strokeColor, line.strokeWidth = INK, 0.5
        drawing.add(line)
        offset += 5.0


_SOLID = {"earned": EARNED, "partly": PARTLY, "lost": LOST}


def legend_key(kind: str) -> Drawing:
    """A small square as in the bars: "earned", "partly", "waiting" or "lost"."""
    drawing = Drawing(9, 7)
    if kind == "waiting":
        striped(drawing, 0, 0, 9, 7)
    else:
        drawing.add(Rect(0, 0, 9, 7, fillColor=_SOLID[kind], strokeColor=None))
    return drawing


def legend(kinds: Sequence[tuple[str, str, float]]) -> Table:
    """What the colours of a bar mean: kind, word and the word's width of each."""
    cells = [part for kind, word, _ in kinds for part in (legend_key(kind), plain(word, NOTE))]
    widths = [width for *_, room in kinds for width in (13, room)]
    table = Table([cells], colWidths=widths, hAlign="LEFT")
    table.setStyle([*NO_PADDING, ("VALIGN", (0, 0), (-1, -1), "MIDDLE")])
    return table
