"""The document: pages, header band, footers, and the score attached as score.json."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

from reportlab.lib.units import mm
from reportlab.pdfbase import pdfdoc
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate, Paragraph

from grader.records import Score, write_bytes
from grader.reports import style
from grader.reports.criteria import criteria
from grader.reports.fonts import BOLD, SANS, register
from grader.reports.observed import layers, measurements
from grader.reports.runs import runs
from grader.reports.summary import notes, problem, summary
from grader.reports.text import is_printable, markup, one_line
from grader.reports.wording import points, say

BAND_HEIGHT = 32 * mm
TOP, BOTTOM = 19 * mm, 17 * mm
SCORE_WIDTH = 52 * mm
ATTACHMENT = "score.json"


def write_report(score: Score, path: Path) -> None:
    """Write the PDF whole, then rename it into place."""
    write_bytes(path, render_pdf(score))


def render_pdf(score: Score) -> bytes:
    """The report of one submission. Equal scores give equal bytes."""
    register()
    buffer = io.BytesIO()
    document = BaseDocTemplate(
        buffer,
        pagesize=(style.PAGE_WIDTH, style.PAGE_HEIGHT),
        title=one_line(f"Score report: {who(score)[0]}", 200),
        author=f"grader {one_line(score.grader, 40)}",
        subject=_assignment(score),
        lang="en",
        initialFontName=SANS,
        invariant=1,
        pageCompression=1,
        displayDocTitle=True,
    )
    document.addPageTemplates(_templates(score))
    document.build(_story(score), canvasmaker=_NumberedCanvas)
    return buffer.getvalue()


def who(score: Score) -> tuple[str, str | None]:
    """What stands large and small at the top: the name and the id, or the id alone.

    A name that our faces cannot print rightly gives way to the id.
    """
    name, number = score.student.name, one_line(score.student.id, 60)
    if name is None or not name.strip() or one_line(name, 200) == number:
        return number, None
    if not is_printable(name):
        return number, say("unprintable_name")
    return one_line(name, 200), number


def _assignment(score: Score) -> str:
    return one_line(score.title or score.assignment, 90)


def _story(score: Score) -> list[Any]:
    seen = runs(score.observations)
    return [
        *problem(score),
        *summary(score),
        *notes(score),
        *criteria(score),
        *layers(seen),
        *measurements(seen),
    ]


# ---------------------------------------------------------------------- pages


def _templates(score: Score) -> list[PageTemplate]:
    def first(canvas: Any, _: Any) -> None:
        _band(canvas, score)
        _footer(canvas, score)
        _attach(canvas, json.dumps(_public(score), indent=1))

    def later(canvas: Any, _: Any) -> None:
        _running_head(canvas, score)
        _footer(canvas, score)

    first_top = BAND_HEIGHT + 6 * mm
    return [
        PageTemplate("first", [_frame(first_top)], onPage=first, autoNextPageTemplate="later"),
        PageTemplate("later", [_frame(TOP)], onPage=later),
    ]


def _frame(top: float) -> Frame:
    return Frame(style.MARGIN, BOTTOM, style.WIDTH, style.PAGE_HEIGHT - top - BOTTOM, *(0, 0, 0, 0))


def _band(canvas: Any, score: Score) -> None:
    top, right = style.PAGE_HEIGHT, style.PAGE_WIDTH - style.MARGIN
    canvas.setFillColor(style.BAND)
    canvas.rect(0, top - BAND_HEIGHT, style.PAGE_WIDTH, BAND_HEIGHT, stroke=0, fill=1)
    name, under = who(score)
    room = style.WIDTH - SCORE_WIDTH
    lines = [
        _largest(name, room),
        _fitted(_assignment(score), style.UNDER_NAME, room),
        _fitted(say("graded", score, under), style.UNDER_NAME, room),
    ]
    y = top - (BAND_HEIGHT - sum(line.height for line in lines)) / 2
    for line in lines:
        y -= line.height
        line.drawOn(canvas, style.MARGIN, y)

    canvas.setFillColor(style.WHITE)
    canvas.setFont(BOLD, 28)
    canvas.drawRightString(right, top - 15 * mm, points(score.total))
    canvas.setFont(SANS, 9.5)
    canvas.drawRightString(right, top - 20.5 * mm, say("of_points", score))
    if score.pending:
        _badge(canvas, right, top - 27.5 * mm, say("waiting_badge", score))


def _largest(name: str, room: float) -> Paragraph:
    """The name as large as fits on two lines; a very long one is cut."""
    for size in (19, 15, 12):
        named = style.NAME.clone("fitted", fontSize=size, leading=size * 1.3)
        whole = Paragraph(markup(name, BOLD), named)
        if whole.wrap(room, 200)[1] <= named.leading * 2.01:
            return whole
    return _fitted(name, named, room, lines=2)


def _fitted(text: str, styled: Any, room: float, lines: int = 1) -> Paragraph:
    """A paragraph, its height known, cut until it takes no more than `lines`."""
    for length in (200, 150, 110, 80, 60, 45, 30, 20):
        paragraph = Paragraph(markup(one_line(text, length), styled.fontName), styled)
        if paragraph.wrap(room, 1000)[1] <= styled.leading * (lines + 0.01):
            break
    return paragraph


def _badge(canvas: Any, right: float, y: float, text: str) -> None:
    width = canvas.stringWidth(text, BOLD, 7.6) + 12
    canvas.setFillColor(style.WAITING)
    canvas.roundRect(right - width, y - 4.2, width, 14, 3, stroke=0, fill=1)
    canvas.setFillColor(style.INK)
    canvas.setFont(BOLD, 7.6)
    canvas.drawRightString(right - 6, y, text)


def _running_head(canvas: Any, score: Score) -> None:
    y = style.PAGE_HEIGHT - 11 * mm
    text = f"{one_line(who(score)[0], 60)} · {_assignment(score)}"
    head = _fitted(text, style.NOTE, style.WIDTH)
    head.drawOn(canvas, style.MARGIN, y - head.height + 8)
    canvas.setStrokeColor(style.RULE)
    canvas.setLineWidth(0.5)
    canvas.line(style.MARGIN, y - 6, style.MARGIN + style.WIDTH, y - 6)


def _footer(canvas: Any, score: Score) -> None:
    text = _fitted(say("footer", score), style.NOTE, style.WIDTH - 60)
    text.drawOn(canvas, style.MARGIN, 11 * mm - text.height + 8)


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


# ---------------------------------------------------------------------- attachment


def _public(score: Score) -> dict[str, Any]:
    """The score as JSON without what is for the instructor only."""
    data = score.to_json() | {"suspicions": []}
    for criterion in data["criteria"]:
        criterion |= {"operator": None, "question": None, "earlier": None}
    return data


def _attach(canvas: Any, text: str) -> None:
    """Embed `text` (ASCII) as a file, with reportlab's own objects."""
    document, string, name = canvas._doc, pdfdoc.PDFString, pdfdoc.PDFName
    stream = pdfdoc.PDFStream(content=text)
    stream.dictionary["Type"] = name("EmbeddedFile")
    stream.dictionary["Subtype"] = "/application#2Fjson"  # PDFName does not escape the slash
    stream.dictionary["Params"] = pdfdoc.PDFDictionary({"Size": len(text)})
    file = {
        "Type": name("Filespec"),
        "F": string(ATTACHMENT),
        "UF": string(ATTACHMENT),
        "EF": pdfdoc.PDFDictionary({"F": document.Reference(stream)}),
        "Desc": string("the same score, for programs"),
    }
    reference = document.Reference(pdfdoc.PDFDictionary(file))
    tree = pdfdoc.PDFDictionary({"Names": pdfdoc.PDFArray([string(ATTACHMENT), reference])})
    document.Catalog.Names = pdfdoc.PDFDictionary({"EmbeddedFiles": tree})
