"""gradebook.csv: one row per submission, ready for the learning platform."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from grader.exports.cells import number_cell, text_cell, whole_table
from grader.records import Score, State


def write_gradebook(path: Path, scores: Iterable[Score]) -> None:
    """Write id, name, points in all and per criterion, lateness and problem; sorted by id.

    No times and no measured values: two runs over the same hand-ins give the same bytes.
    A criterion that is not final has an empty cell, and points lost by being late are less than
    nothing, so the cells of a row add up to `total`.
    """
    ordered = sorted(scores, key=lambda score: score.submission)
    ids = list(dict.fromkeys(c.id for score in ordered for c in score.criteria))
    head = ["id", "name", "total", "possible", "pending", *map(text_cell, ids)]
    head += ["late points", "late", "problem", "to look at"]
    with whole_table(path, head) as table:
        for score in ordered:
            table.add(_row(score, ids))


def _row(score: Score, ids: list[str]) -> list[str]:
    excused = f"excused: {score.excused}" if score.excused else None
    final = {c.id: c.earned for c in score.criteria if c.state is State.FINAL}
    return [
        text_cell(score.submission),
        text_cell(score.student.name),
        number_cell(score.total),
        number_cell(score.possible),
        number_cell(score.pending),
        *(number_cell(final.get(id_)) for id_ in ids),
        number_cell(-score.late_points if score.late_points else None),
        text_cell("; ".join(filter(None, (score.late, excused)))),
        text_cell(score.problem),
        text_cell("; ".join(score.suspicions)),
    ]
