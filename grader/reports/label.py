"""Text inside a drawing: our own words and figures, never a student's."""

from __future__ import annotations

from reportlab.graphics.shapes import Drawing, String
from reportlab.lib.colors import Color

from grader.reports.fonts import SANS
from grader.reports.style import MUTED

SMALL = 6.6


def label(
    drawing: Drawing,
    x: float,
    y: float,
    text: str,
    face: str = SANS,
    size: float = SMALL,
    colour: Color = MUTED,
    anchor: str = "middle",
) -> None:
    """Put `text` at (x, y), in points; `anchor` says which part of it lies there."""
    drawing.add(
        String(x, y, text, fontName=face, fontSize=size, fillColor=colour, textAnchor=anchor)
    )
