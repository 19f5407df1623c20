"""The class at a glance: how many hand-ins are how far, and how the points are spread."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from reportlab.platypus import Spacer, Table, TableStyle

from grader.records import Score
from grader.reports import style
from grader.reports.blocks import NO_PADDING, Flowables, heading, plain
from grader.reports.class_facts import ClassFacts
from grader.reports.class_lists import undecided_by_us
from grader.reports.histogram import counted, histogram
from grader.reports.points_bar import legend

_GAP = 18
_TILE = [("LEFTPADDING", (0, 0), (-1, -1), 7), ("VALIGN", (0, 0), (-1, -1), "TOP")]


def overview(facts: ClassFacts, scores: Sequence[Score]) -> Flowables:
    """Counts of hand-ins, then the points as histograms; `scores` are those of the class."""
    return [_tiles(_counts(facts, scores)), *(_distribution(scores) if scores else [])]


def _counts(facts: ClassFacts, scores: Sequence[Score]) -> list[tuple[int, str]]:
    """What there is, and what needs somebody where there is any of it."""
    waiting = sum(s.pending > 0 for s in scores)
    may_be_none = (
        (sum(s.problem is not None for s in scores), "cannot be read"),
        (sum(bool(undecided_by_us(s)) for s in scores), "not decided, our fault"),
        (len(facts.missing), "handed in nothing"),
        (len(facts.ids) - len(scores), "still to be graded"),
    )
    return [
        (len(scores), "graded"),
        (len(scores) - waiting, "all points final"),
        (waiting, "wait for a person"),
        *((count, text) for count, text in may_be_none if count),
    ]


def _tiles(counts: Sequence[tuple[int, str]]) -> Table:
    cells = [[plain(str(count), style.FIGURE), plain(text, style.NOTE)] for count, text in counts]
    table = Table([cells], colWidths=[style.WIDTH / max(5, len(cells))] * len(cells), hAlign="LEFT")
    edges = [("LINEBEFORE", (n, 0), (n, 0), 2, style.RULE) for n in range(len(cells))]
    table.setStyle(TableStyle([*NO_PADDING, *_TILE, *edges]))
    return table


def _distribution(scores: Sequence[Score]) -> Flowables:
    possible = max(s.possible for s in scores)
    now = [(s.total, s.pending > 0) for s in scores]
    taken = [(s.total + s.suggested, s.pending > 0) for s in scores]
    shown = [("Points that are final", now)]
    if any(s.suggested for s in scores):
        shown.append(("With all suggestions taken", taken))
    width = (style.WIDTH - _GAP) / 2
    drawn = [histogram(counted(totals, possible), title, width) for title, totals in shown]
    table = Table([drawn], colWidths=[width + _GAP / 2] * len(drawn), hAlign="LEFT")
    table.setStyle(TableStyle(NO_PADDING))
    kinds = (("earned", "nothing waits", 66), ("waiting", "some points wait for a person", 130))
    told = plain(_told([total for total, _ in now], possible), style.CELL)
    return [Spacer(1, 13), *heading("Points"), told, Spacer(1, 6), table, legend(kinds)]


def _told(totals: Sequence[float], possible: float) -> str:
    mean, median = statistics.fmean(totals), statistics.median(totals)
    return (
        f"Final points: {mean:.2f} on average, median {median:g}, from {min(totals):g} to "
        f"{max(totals):g} of {possible:g}."
    )
