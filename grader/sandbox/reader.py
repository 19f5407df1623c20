"""Reads a hand-in's report in a sandbox: a hostile PDF can hang or eat memory."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from grader.records import Report
from grader.sandbox.ended import Reason
from grader.sandbox.environment import clean_environment
from grader.sandbox.host import Launcher
from grader.sandbox.limits import Limits
from grader.sandbox.request import Request

PROGRAM = "grader.intake.report_reader"  # named, not imported: it runs in its own process
DRAWER = "grader.intake.page_pictures"
JPEG = b"\xff\xd8\xff"
MODULES = (PROGRAM, "grader.intake.reading.pdf")  # what nearly every report takes
LIMITS = Limits(cpu=20, wall=60, memory=1 << 30)
LONGEST = 8 << 20  # bytes of text
_AGAIN = "export it again as PDF"


def read_report(launcher: Launcher, folder: Path, file: Path) -> Report:
    """The text of a report in `folder`, or a report whose `problem` says why there is none."""
    request = Request(
        PROGRAM, str(folder.resolve()), [str(file)], clean_environment(folder), LIMITS
    )
    run = launcher.run(request, output_limit=LONGEST, output_kept=LONGEST)
    shown = str(file)
    if run.ended.reason in (Reason.CPU, Reason.WALL):
        return Report(shown, (), f"{shown} could not be read within {LIMITS.cpu:g} s; {_AGAIN}")
    try:
        answer = json.loads(run.output)
        pages, to_see = answer.get("pages", []), answer.get("to_see", [])
        return Report(shown, tuple(map(str, pages)), answer.get("problem"), tuple(map(int, to_see)))
    except (ValueError, TypeError, AttributeError, RecursionError):  # a program's words, not ours
        why = "it is damaged, or far too large inside"
        return Report(shown, (), f"{shown} could not be read, {why}; {_AGAIN}")


def draw_pages(launcher: Launcher, folder: Path, report: Report) -> dict[int, bytes]:
    """JPEGs of the pages of a report in `folder` that a person must see, where they can be had."""
    if not report.to_see or report.file is None:
        return {}
    arguments = [report.file, *map(str, report.to_see)]
    request = Request(DRAWER, str(folder.resolve()), arguments, clean_environment(folder), LIMITS)
    run = launcher.run(request, output_limit=LONGEST, output_kept=LONGEST)
    try:
        answer = {
            int(number): base64.b64decode(data) for number, data in json.loads(run.output).items()
        }
    except (ValueError, TypeError, AttributeError, RecursionError):  # a program's words, not ours
        return {}
    return {n: jpeg for n, jpeg in answer.items() if n in report.to_see and jpeg.startswith(JPEG)}
