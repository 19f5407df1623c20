"""What judging costs the first time, done once before judging processes are forked.

Reportlab loads its fonts and half of its modules when they are used; pytest, its plugins and the
checks.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import NoReturn

import numpy.random  # noqa: F401

from grader.checking.run import collected
from grader.errors import InternalError
from grader.grading import hand_in  # noqa: F401
from grader.judge.judging import CHECK_SECONDS
from grader.records import CriterionScore, Score, State, Student
from grader.reports.pdf import render_pdf
from grader.rubric import assignment_folder


def with_checks(serve: Callable[[], NoReturn], assignment: str) -> None:
    """Call `serve` once everything is loaded; it does not return.

    Checks that cannot be collected are each hand-in's matter: there the reason is told.
    """
    _render_a_report()
    with contextlib.suppress(InternalError):
        collected(assignment_folder(assignment), serve, seconds=CHECK_SECONDS)
    serve()


def _render_a_report() -> None:
    criterion = CriterionScore("1", 1.0, None, State.PENDING, None, "", "hint", title="x")
    render_pdf(Score("1", Student("1"), "", "", "virtual", "", (criterion,)))
