"""The report of a class, for its instructor only."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from reportlab.lib.units import mm

from grader.records import Score
from grader.reports import class_lists, pages, style
from grader.reports.class_by_hand import by_hand
from grader.reports.class_criteria import criteria_table
from grader.reports.class_facts import ClassFacts
from grader.reports.class_overview import overview
from grader.reports.sections import Section
from grader.reports.text import one_line

_FIGURE = 52 * mm  # of the band, for the figure in it


def render_class_pdf(
    facts: ClassFacts, scores: Sequence[Score], more: Sequence[Section] = ()
) -> bytes:
    """The report of a class; `scores` may be without their long texts.

    `more` are further sections, placed behind what needs a look first. Equal arguments give equal
    bytes.
    """
    known = {score.submission: score for score in scores}
    meant = [known[id_] for id_ in facts.ids if id_ in known]
    sections = (
        *class_lists.to_look_at(meant),
        *more,
        by_hand(facts, known),
        class_lists.late(facts, meant),
        class_lists.attempts(facts, meant),
        class_lists.roster(facts),
        class_lists.ignored(facts, meant),
    )
    story = [*overview(facts, meant), *criteria_table(facts, meant)]
    story += [part for section in sections for part in section.flowables()]
    return pages.build(
        story,
        partial(_first_page, facts, meant),
        partial(_later_page, facts),
        title=f"Report of the class: {_assignment(facts)}",
        author=f"grader {one_line(facts.grader, 40)}",
        subject=_assignment(facts),
    )


def _assignment(facts: ClassFacts) -> str:
    return one_line(facts.title or facts.assignment, 90)


def _first_page(facts: ClassFacts, scores: Sequence[Score], canvas: Any) -> None:
    room = style.WIDTH - _FIGURE
    day = max((score.graded_at[:10] for score in scores), default="")
    graded = f"graded {day} · for the instructor only" if day else "for the instructor only"
    lines = [
        pages.largest("Report of the class", room),
        pages.fitted(_assignment(facts), style.UNDER_NAME, room),
        pages.fitted(graded, style.UNDER_NAME, room),
    ]
    pages.band(canvas, lines)
    waiting = sum(score.pending for score in scores)
    badge = f"{waiting:g} points wait for a person" if waiting else None
    pages.figure(canvas, str(len(facts.ids)), "hand-ins", badge)
    _footer(facts, canvas)


def _later_page(facts: ClassFacts, canvas: Any) -> None:
    pages.running_head(canvas, f"Report of the class · {_assignment(facts)}")
    _footer(facts, canvas)


def _footer(facts: ClassFacts, canvas: Any) -> None:
    pages.footer(canvas, f"Assignment {facts.assignment} · grader {facts.grader}")
