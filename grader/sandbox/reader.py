"""Reads a hand-in's report in a sandbox: a hostile PDF can hang or eat memory."""

from __future__ import annotations

import json
from pathlib import Path

from grader.records import Report
from grader.sandbox.ended import Reason
from grader.sandbox.environment import clean_environment
from grader.sandbox.host import Launcher
from grader.sandbox.limits import Limits
from grader.sandbox.request import Request

PROGRAM = "grader.intake.report_reader"  # named, not imported: it runs in its own process
MODULES = (PROGRAM, "grader.intake.reading.pdf")  # what nearly every report takes
LIMITS = Limits(cpu=20, wall=60, memory=1 << 30)
LONGEST = 8 << 20  # bytes of text


def read_report(launcher: Launcher, folder: Path, file: Path) -> Report:
    """The text of a report in `folder`, or a report whose `problem` says why there is none."""
    request = Request(
        PROGRAM, str(folder.resolve()), [str(file)], clean_environment(folder), LIMITS
    )
    run = launcher.run(request, output_limit=LONGEST, output_kept=LONGEST)
    shown = str(file)
    if run.ended.reason in (Reason.CPU, Reason.WALL):
        return Report(shown, (), f"{shown} could not be read within {LIMITS.cpu:g} s")
    try:
        answer = json.loads(run.output)
        pages, pictures = answer.get("pages", []), answer.get("pictures", [])
        return Report(
            shown, tuple(map(str, pages)), answer.get("problem"), tuple(map(int, pictures))
        )
    except (ValueError, TypeError, AttributeError, RecursionError):  # a program's words, not ours
        return Report(shown, (), f"{shown} could not be read: the reader ended on it")
