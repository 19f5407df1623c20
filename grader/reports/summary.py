"""What it comes to: the problem if there is one, the points at a glance, the notes."""

from __future__ import annotations

from reportlab.platypus import Spacer

from grader.records import Score
from grader.reports import style
from grader.reports.blocks import Flowables, box, labelled, plain
from grader.reports.points_bar import Segment, legend, points_bar
from grader.reports.tasks import tasks
from grader.reports.text import few_lines, one_line
from grader.reports.wording import say

PROBLEM, NOTE = 900, 220  # longest texts, in characters
MAX_NOTES = 8

_KINDS = (
    ("earned", "earned", 52),
    ("waiting", "waits for a person", 92),
    ("lost", "not earned", 70),
)


def problem(score: Score) -> Flowables:
    """Why the hand-in could not be read, and the next step; nothing where it could."""
    if score.problem is None:
        return []
    inside = [
        plain(say("problem_heading"), style.TASK),
        Spacer(1, 3),
        plain(few_lines(score.problem, PROBLEM, 8)),
        Spacer(1, 4),
        plain(say("problem_advice")),
    ]
    return [box(inside, style.LOST_TEXT), Spacer(1, 10)]


def summary(score: Score) -> Flowables:
    """The points by task as a bar with its legend, and the whole in a sentence."""
    parts: Flowables = [plain(say("summary", score)), Spacer(1, 8)]
    if score.criteria:
        segments = [
            Segment(
                one_line(task.id.upper(), 10),
                say("task_points", task.earned, task.waiting, task.possible),
                task.earned,
                task.waiting,
                task.possible,
            )
            for task in tasks(score)
        ]
        parts += [points_bar(segments, style.WIDTH), Spacer(1, 3), legend(_KINDS)]
    return parts


def notes(score: Score) -> Flowables:
    """Lateness and whatever else was noticed, in small print."""
    late = say("late", score)
    said = [labelled("Late:", one_line(late, NOTE), style.NOTE)] if late else []
    lines = [plain(f"Note: {one_line(note, NOTE)}", style.NOTE) for note in score.notes[:MAX_NOTES]]
    return [Spacer(1, 6), *said, *lines] if said or lines else []
