"""The document: pages, header band, footers, and the score attached as score.json."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

from reportlab.lib.units import mm
from reportlab.pdfbase import pdfdoc

from grader.files import write_bytes
from grader.records import Score
from grader.reports import pages, style
from grader.reports.criteria import criteria
from grader.reports.observed import layers, measurements
from grader.reports.runs import runs
from grader.reports.summary import notes, problem, summary
from grader.reports.text import is_printable, one_line
from grader.reports.wording import points, say

SCORE_WIDTH = 52 * mm
ATTACHMENT = "score.json"


def write_report(score: Score, path: Path) -> None:
    """Write the PDF whole, then rename it into place."""
    write_bytes(path, render_pdf(score))


def render_pdf(score: Score) -> bytes:
    """The report of one submission. Equal scores give equal bytes."""
    return pages.build(
        _story(score),
        partial(_first_page, score),
        partial(_later_page, score),
        title=one_line(f"Score report: {who(score)[0]}", 200),
        author=f"grader {one_line(score.grader, 40)}",
        subject=_assignment(score),
    )


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


def _first_page(score: Score, canvas: Any) -> None:
    name, under = who(score)
    room = style.WIDTH - SCORE_WIDTH
    lines = [
        pages.largest(name, room),
        pages.fitted(_assignment(score), style.UNDER_NAME, room),
        pages.fitted(say("graded", score, under), style.UNDER_NAME, room),
    ]
    pages.band(canvas, lines)
    waiting = say("waiting_badge", score) if score.pending else None
    pages.figure(canvas, points(score.total), say("of_points", score), waiting)
    pages.footer(canvas, say("footer", score))
    _attach(canvas, json.dumps(_public(score), indent=1))


def _later_page(score: Score, canvas: Any) -> None:
    pages.running_head(canvas, f"{one_line(who(score)[0], 60)} · {_assignment(score)}")
    pages.footer(canvas, say("footer", score))


# ---------------------------------------------------------------------- attachment


def _public(score: Score) -> dict[str, Any]:
    """The score as JSON without what is for the instructor only."""
    data = score.to_json() | {"suspicions": [], "ignored": []}
    for criterion in data["criteria"]:
        criterion |= {"operator": None, "question": None, "earlier": None, "instead_of": None}
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
