"""Colours, sizes and paragraph styles of a report."""

from __future__ import annotations

from typing import Any

from reportlab.lib.colors import HexColor, white
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm

from grader.reports.fonts import BOLD, SANS

PAGE_WIDTH, PAGE_HEIGHT = A4
MARGIN = 17 * mm
WIDTH = PAGE_WIDTH - 2 * MARGIN

INK = HexColor("#1b2733")
MUTED = HexColor("#566472")
RULE = HexColor("#d5dce3")
PAPER = HexColor("#f3f6f8")
BAND = HexColor("#16324f")
BAND_TEXT = HexColor("#c9d6e2")
WHITE = white

# Okabe and Ito's colours stay apart in every common form of colour blindness
# (https://jfly.uni-koeln.de/color/). Wherever one is used, a number or a word says the same.
EARNED = HexColor("#009e73")
WAITING = HexColor("#e69f00")
LOST = HexColor("#e8ecf0")
PARTLY = HexColor("#86c9b4")
EARNED_TEXT = HexColor("#006d50")
WAITING_TEXT = HexColor("#8a5a00")
LOST_TEXT = HexColor("#a33c00")
GPU_COLOURS = tuple(
    HexColor(colour)
    for colour in (
        *("#56b4e9", "#e69f00", "#009e73", "#cc79a7"),
        *("#f0e442", "#0072b2", "#d55e00", "#a7b0b8"),
    )
)
DARK_COLOURS = frozenset({5, 6})  # of GPU_COLOURS: white figures read better on these
LINE_COLOURS = tuple(HexColor(colour) for colour in ("#0072b2", "#d55e00", "#009e73", "#1b2733"))


def _style(name: str, **changes: Any) -> ParagraphStyle:
    base = {"fontName": SANS, "fontSize": 8.4, "leading": 11.4, "textColor": INK}
    return ParagraphStyle(name, **(base | changes))


BODY = _style("body", fontSize=9, leading=12.8)
HEADING = _style("heading", fontName=BOLD, fontSize=11.5, leading=15, keepWithNext=1)
NAME = _style("name", fontName=BOLD, textColor=WHITE)
UNDER_NAME = _style("under-name", textColor=BAND_TEXT, fontSize=8.6, leading=12)
TASK = _style("task", fontName=BOLD, fontSize=9, leading=12)
TASK_POINTS = _style("task-points", fontName=BOLD, fontSize=9, leading=12, alignment=2)
STATE = _style("state", fontSize=7.4, leading=10.4, textColor=MUTED)
POINTS = _style("points", fontName=BOLD, fontSize=8.8, alignment=2)
CELL = _style("cell")
HINT = _style("hint", spaceBefore=2.5)
FOUND = _style("found", fontSize=7.8, leading=10.6)
QUOTE_LABEL = _style("quote-label", fontSize=6.8, leading=9, textColor=MUTED)
FIGURE = _style("figure", fontName=BOLD, fontSize=15, leading=19)
NOTE = _style("note", fontSize=7.6, leading=10.4, textColor=MUTED)

#: The same styles for figures in a column.
RIGHT = {one.name: one.clone(f"{one.name}-right", alignment=2) for one in (CELL, STATE)}
