"""What judging costs the first time, done once before judging processes are forked.

Reportlab loads its fonts and half of its modules when they are used; pytest, its plugins and the
checks; headings are found by patterns that take long to compile.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import numpy.random  # noqa: F401

from grader import intake
from grader.assignment import Assignment
from grader.checking.run import collected
from grader.errors import InternalError
from grader.grading import hand_in  # noqa: F401
from grader.grading.answers import asked
from grader.judge.judging import CHECK_SECONDS
from grader.records import CriterionScore, Report, Score, State, Student
from grader.reports.pdf import render_pdf
from grader.rubric import Rubric, load_rubric


def with_checks(serve: Callable[[], NoReturn], name: str, home: str) -> None:
    """Call `serve` once everything is loaded for an assignment; it does not return.

    Checks that cannot be collected are each hand-in's matter: there the reason is told.
    """
    assignment = Assignment(name, Path(home))
    _render_a_report()
    _look_for_answers(load_rubric(assignment))
    with contextlib.suppress(InternalError):
        collected(assignment.checks, serve, seconds=CHECK_SECONDS)
    serve()


def _render_a_report() -> None:
    criterion = CriterionScore("1", 1.0, None, State.PENDING, None, "", "hint", title="x")
    render_pdf(Score("1", Student("1"), "", "", "virtual", "", (criterion,)))


def _look_for_answers(rubric: Rubric) -> None:
    for criterion in rubric.criteria:
        report = Report("x", ("\n".join(criterion.where),))
        intake.find_passage(report, criterion.where, asked(rubric))
