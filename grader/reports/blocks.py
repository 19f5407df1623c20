"""The few shapes that all parts of a report are made of. All take plain text."""

from __future__ import annotations

from typing import Any

from reportlab.lib.colors import Color
from reportlab.platypus import KeepTogether, Paragraph, Spacer, Table, TableStyle

from grader.reports import style
from grader.reports.fonts import BOLD, SANS
from grader.reports.text import markup

Flowables = list[Any]

NO_PADDING = [
    (f"{side}PADDING", (0, 0), (-1, -1), 0) for side in ("LEFT", "RIGHT", "TOP", "BOTTOM")
]


def plain(text: str, styled: Any = style.BODY) -> Paragraph:
    """A paragraph in one style."""
    return Paragraph(markup(text, styled.fontName), styled)


def labelled(label: str, text: str, styled: Any = style.CELL) -> Paragraph:
    """A paragraph that begins with a word in bold."""
    return Paragraph(f'<font name="{BOLD}">{markup(label, BOLD)}</font> {markup(text)}', styled)


def coloured(text: str, colour: Color, size: float) -> str:
    """Paragraph markup for `text` in the regular face."""
    font = f'<font name="{SANS}" color="#{colour.hexval()[2:]}" size="{size}">'
    return f"{font}{markup(text)}</font>"


def heading(title: str) -> Flowables:
    """The title of a section."""
    return [plain(title, style.HEADING), Spacer(1, 4)]


def section(title: str, first: Flowables) -> KeepTogether:
    """A heading and what must stay on its page."""
    return KeepTogether([Spacer(1, 13), *heading(title), *first])


def box(inside: Flowables, edge: Color, padding: float = 8) -> Table:
    """`inside` on tinted paper with a coloured edge."""
    sides = [(f"{side}PADDING", (0, 0), (-1, -1), padding) for side in ("LEFT", "RIGHT")]
    ends = [(f"{side}PADDING", (0, 0), (-1, -1), padding * 0.75) for side in ("TOP", "BOTTOM")]
    look = [
        ("BACKGROUND", (0, 0), (-1, -1), style.PAPER),
        ("LINEBEFORE", (0, 0), (0, -1), 2, edge),
    ]
    return Table([[inside]], colWidths=["100%"], style=TableStyle(sides + ends + look))
