"""What the pages of every report share: band, frames, running heads, page numbers."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any

from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate, Paragraph

from grader.reports import style
from grader.reports.fonts import BOLD, SANS, register
from grader.reports.text import markup, one_line

BAND_HEIGHT = 32 * mm
TOP, BOTTOM = 19 * mm, 17 * mm

Draw = Callable[[Any], None]


def build(story: Sequence[Any], first: Draw, later: Draw, *, title: str, **about: str) -> bytes:
    """The document: `first` draws on the first page, below the band; `later` on the others.

    Equal arguments give equal bytes. `about` are author and subject.
    """
    register()
    buffer = io.BytesIO()
    document = BaseDocTemplate(
        buffer,
        pagesize=(style.PAGE_WIDTH, style.PAGE_HEIGHT),
        title=title,
        **about,
        lang="en",
        initialFontName=SANS,
        invariant=1,
        pageCompression=1,
        displayDocTitle=True,
    )
    below_band = [_frame(BAND_HEIGHT + 6 * mm)]
    document.addPageTemplates(
        [
            PageTemplate(
                "first", below_band, onPage=lambda c, _: first(c), autoNextPageTemplate="later"
            ),
            PageTemplate("later", [_frame(TOP)], onPage=lambda c, _: later(c)),
        ]
    )
    document.build(list(story), canvasmaker=_NumberedCanvas)
    return buffer.getvalue()


def _frame(top: float) -> Frame:
    return Frame(style.MARGIN, BOTTOM, style.WIDTH, style.PAGE_HEIGHT - top - BOTTOM, *(0, 0, 0, 0))


# ---------------------------------------------------------------------- the band


def band(canvas: Any, lines: Sequence[Paragraph]) -> None:
    """The dark band at the top of the first page, with lines of which the height is known."""
    top = style.PAGE_HEIGHT
    canvas.setFillColor(style.BAND)
    canvas.rect(0, top - BAND_HEIGHT, style.PAGE_WIDTH, BAND_HEIGHT, stroke=0, fill=1)
    y = top - (BAND_HEIGHT - sum(line.height for line in lines)) / 2
    for line in lines:
        y -= line.height
        line.drawOn(canvas, style.MARGIN, y)


def figure(canvas: Any, large: str, small: str, badge: str | None) -> None:
    """The figure at the right of the band, what it counts, and what waits."""
    top, right = style.PAGE_HEIGHT, style.PAGE_WIDTH - style.MARGIN
    canvas.setFillColor(style.WHITE)
    canvas.setFont(BOLD, 28)
    canvas.drawRightString(right, top - 15 * mm, large)
    canvas.setFont(SANS, 9.5)
    canvas.drawRightString(right, top - 20.5 * mm, small)
    if badge:
        _badge(canvas, right, top - 27.5 * mm, badge)


def _badge(canvas: Any, right: float, y: float, text: str) -> None:
    width = canvas.stringWidth(text, BOLD, 7.6) + 12
    canvas.setFillColor(style.WAITING)
    canvas.roundRect(right - width, y - 4.2, width, 14, 3, stroke=0, fill=1)
    canvas.setFillColor(style.INK)
    canvas.setFont(BOLD, 7.6)
    canvas.drawRightString(right - 6, y, text)


def largest(name: str, room: float) -> Paragraph:
    """A name as large as fits on two lines; a very long one is cut."""
    for size in (19, 15, 12):
        named = style.NAME.clone("fitted", fontSize=size, leading=size * 1.3)
        whole = Paragraph(markup(name, BOLD), named)
        if whole.wrap(room, 200)[1] <= named.leading * 2.01:
            return whole
    return fitted(name, named, room, lines=2)


def fitted(text: str, styled: Any, room: float, lines: int = 1) -> Paragraph:
    """A paragraph, its height known, cut until it takes no more than `lines`."""
    for length in (200, 150, 110, 80, 60, 45, 30, 20):
        paragraph = Paragraph(markup(one_line(text, length), styled.fontName), styled)
        if paragraph.wrap(room, 1000)[1] <= styled.leading * (lines + 0.01):
            break
    return paragraph


# ---------------------------------------------------------------------- other pages


def running_head(canvas: Any, text: str) -> None:
    """What stands at the top of the second page and of those after it."""
    y = style.PAGE_HEIGHT - 11 * mm
    head = fitted(text, style.NOTE, style.WIDTH)
    head.drawOn(canvas, style.MARGIN, y - head.height + 8)
    canvas.setStrokeColor(style.RULE)
    canvas.setLineWidth(0.5)
    canvas.line(style.MARGIN, y - 6, style.MARGIN + style.WIDTH, y - 6)


def footer(canvas: Any, text: str) -> None:
    """What stands at the bottom of every page, beside its number."""
    line = fitted(text, style.NOTE, style.WIDTH - 60)
    line.drawOn(canvas, style.MARGIN, 11 * mm - line.height + 8)


class _NumberedCanvas(Canvas):  # type: ignore[misc]  # reportlab has no types
    """Writes "page 1 of 2" when all pages are known."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._pages: list[dict[str, Any]] = []

    def showPage(self) -> None:  # noqa: N802  # reportlab's name
        self._pages.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        for page in self._pages:
            self.__dict__.update(page)
            self.setFont(SANS, style.NOTE.fontSize)
            self.setFillColor(style.MUTED)
            text = f"page {self._pageNumber} of {len(self._pages)}"
            self.drawRightString(style.PAGE_WIDTH - style.MARGIN, 11 * mm, text)
            super().showPage()
        super().save()
