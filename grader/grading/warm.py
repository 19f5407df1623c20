"""What judging costs the first time, done once before judging processes are forked.

pytest loads its plugins, and reportlab its fonts and half of its modules, when they are used.
"""

from __future__ import annotations

import contextlib
import io
import os
import tempfile

import numpy.random  # noqa: F401
import pytest

from grader.grading import hand_in  # noqa: F401
from grader.records import CriterionScore, Score, State, Student
from grader.reports.pdf import render_pdf


def _run_no_checks() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.redirect_stdout(io.StringIO()),
    ):
        options = ["-c", os.devnull, "--rootdir", folder, "-p", "no:cacheprovider"]
        pytest.main([folder, *options, "--disable-plugin-autoload", "-p", "pytest_timeout"])


def _render_a_report() -> None:
    criterion = CriterionScore("1", 1.0, None, State.PENDING, None, "", "hint", title="x")
    render_pdf(Score("1", Student("1"), "", "", "virtual", "", (criterion,)))


_run_no_checks()
_render_a_report()
