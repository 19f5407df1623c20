"""The criteria with their points and the reasons for them, a table per task."""

from __future__ import annotations

from reportlab.lib.colors import Color
from reportlab.platypus import Paragraph, Spacer, Table, TableStyle

from grader.records import CriterionScore, Score, State
from grader.reports import style
from grader.reports.blocks import Flowables, box, coloured, heading, labelled, plain
from grader.reports.fonts import BOLD, MONO
from grader.reports.tasks import Task, tasks
from grader.reports.text import few_lines, markup, one_line, unwrapped
from grader.reports.wording import say

# Longest texts, in characters: the tallest row must fit on one page.
TITLE, ID, EVIDENCE, WHERE, HINT, COMMENT, FOUND = 160, 40, 700, 400, 400, 800, 340
FOUND_LINES = 6


def criteria(score: Score) -> Flowables:
    """A table per task; its heading row stays with the first criterion and is repeated.

    Nothing where the hand-in could not be read and no criterion has more to say than that.
    """
    if score.problem is not None and len({c.evidence for c in score.criteria}) <= 1:
        return []
    tables: Flowables = [_task_table(task) for task in tasks(score)]
    if not tables:
        return []
    spaced = [part for table in tables[1:] for part in (Spacer(1, 9), table)]
    return [Spacer(1, 13), *heading("Points and reasons"), tables[0], *spaced]


def _task_table(task: Task) -> Table:
    title = markup(one_line(f"{task.id.upper()} · {task.title}", TITLE), BOLD)
    if task.waiting:
        waiting = say("task_waiting", task.waiting)
        title += "&nbsp;&nbsp; " + coloured(waiting, style.WAITING_TEXT, size=7.4)
    earned = say("task_points", task.earned, task.waiting, task.possible)
    head = [Paragraph(title, style.TASK), "", plain(earned, style.TASK_POINTS)]
    look = [
        ("SPAN", (0, 0), (1, 0)),
        ("BACKGROUND", (0, 0), (-1, 0), style.PAPER),
        ("LINEBELOW", (0, 1), (-1, -1), 0.5, style.RULE),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 6),
        ("RIGHTPADDING", (0, 0), (-1, -1), 6),
        ("TOPPADDING", (0, 0), (-1, -1), 4),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 5),
        ("NOSPLIT", (0, 0), (-1, 1)),
    ]
    rows = [head, *(_row(criterion) for criterion in task.criteria)]
    columns = [style.WIDTH * share for share in (0.32, 0.56, 0.12)]
    return Table(rows, colWidths=columns, repeatRows=1, style=TableStyle(look))


def _row(criterion: CriterionScore) -> Flowables:
    title = one_line(criterion.title or criterion.id, TITLE)
    state = coloured(say("state", criterion), _state_colour(criterion), size=7.4)
    id_ = f'<font name="{MONO}" size="6.8">{markup(one_line(criterion.id, ID), MONO)}</font>'
    what = [plain(title, style.CELL), Paragraph(f"{state}&nbsp;&nbsp; {id_}", style.STATE)]
    return [what, _reasons(criterion), plain(say("criterion_points", criterion), style.POINTS)]


def _reasons(criterion: CriterionScore) -> Flowables:
    """Evidence, its place, hint, a person's comment, and the student's own words where found."""
    parts = [plain(few_lines(criterion.evidence, EVIDENCE, 10), style.CELL)]
    if criterion.where:
        parts.append(labelled("Where:", few_lines(criterion.where, WHERE, 6), style.HINT))
    done = criterion.state is State.FINAL and (criterion.earned or 0.0) >= criterion.points
    if criterion.hint and not done:
        parts.append(labelled("Try:", few_lines(criterion.hint, HINT, 6), style.HINT))
    if criterion.comment:
        parts.append(labelled("Comment:", few_lines(criterion.comment, COMMENT, 12), style.HINT))
    if criterion.found:
        parts += [Spacer(1, 3), _quote(criterion.found)]
    return parts


def _quote(found: str) -> Table:
    label = plain("From your report", style.QUOTE_LABEL)
    words = plain(few_lines(unwrapped(found), FOUND, FOUND_LINES), style.FOUND)
    return box([label, words], style.WAITING, padding=5)


def _state_colour(criterion: CriterionScore) -> Color:
    if criterion.state is not State.FINAL:
        return style.WAITING_TEXT
    full = (criterion.earned or 0.0) >= criterion.points
    return style.EARNED_TEXT if full else style.LOST_TEXT
