"""What became of each criterion, over the whole class."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from reportlab.graphics.shapes import Drawing, Rect
from reportlab.platypus import Spacer

from grader.records import CriterionScore, Score, State
from grader.reports import style
from grader.reports.blocks import Flowables, heading
from grader.reports.class_facts import ClassFacts, Counted
from grader.reports.points_bar import legend, striped
from grader.reports.sections import Column, table
from grader.reports.text import one_line

_BAR = 70  # points wide
_COLUMNS = (
    Column("criterion", 0.115),
    Column("", 0.315),
    Column("points", 0.072, figures=True),
    Column("", 0.153),
    Column("full", 0.055, figures=True),
    Column("part", 0.055, figures=True),
    Column("none", 0.062, figures=True),
    Column("waiting", 0.09, figures=True),
    Column("mean", 0.083, figures=True),
)
_KINDS = (
    ("earned", "full points", 56),
    ("partly", "part of them", 60),
    ("lost", "none", 32),
    ("waiting", "waits for a person", 90),
)


@dataclass(frozen=True)
class Tally:
    """How many hand-ins have full points, some, none, and wait; `mean` is of final points."""

    full: int
    part: int
    none: int
    waiting: int
    mean: float | None


def tally(criteria: Sequence[CriterionScore]) -> Tally:
    """Count one criterion over hand-ins."""
    final = [c for c in criteria if c.state is State.FINAL]
    full = sum((c.earned or 0.0) >= c.points for c in final)
    none = sum(not c.earned for c in final)
    mean = statistics.fmean(c.earned or 0.0 for c in final) if final else None
    return Tally(full, len(final) - full - none, none, len(criteria) - len(final), mean)


def criteria_table(facts: ClassFacts, scores: Sequence[Score]) -> Flowables:
    """A row for each criterion of the rubric."""
    by_id: dict[str, list[CriterionScore]] = {c.id: [] for c in facts.criteria}
    for criterion in (c for score in scores for c in score.criteria):
        by_id.setdefault(criterion.id, []).append(criterion)
    rows = [_row(c, tally(by_id[c.id])) for c in facts.criteria]
    if not rows:
        return []
    shown = [*heading("Criteria"), table(_COLUMNS, rows), Spacer(1, 4), legend(_KINDS)]
    return [Spacer(1, 13), *shown]


def _row(criterion: Counted, found: Tally) -> list[Any]:
    figures = (found.full, found.part, found.none, found.waiting)
    return [
        one_line(criterion.id, 24),
        one_line(criterion.title, 90),
        f"{criterion.points:g}",
        _bar(found),
        *(str(figure) if figure else "·" for figure in figures),
        "–" if found.mean is None else f"{found.mean:.2f}",
    ]


def _bar(found: Tally) -> Drawing:
    drawing = Drawing(_BAR, 10)
    total = (found.full + found.part + found.none + found.waiting) or 1
    x = 0.0
    for count, colour in (
        (found.full, style.EARNED),
        (found.part, style.PARTLY),
        (found.none, style.LOST),
        (found.waiting, None),
    ):
        wide = _BAR * count / total
        if count and colour is None:
            striped(drawing, x, 0, wide, 8)
        elif count:
            drawing.add(Rect(x, 0, wide, 8, fillColor=colour, strokeColor=None))
        x += wide
    return drawing
