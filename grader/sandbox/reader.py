"""Reads a hand-in's report in a child process: a hostile PDF can hang or eat memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from grader.records import Report
from grader.sandbox.environment import clean_environment

PROGRAM = "grader.intake.report_reader"  # named, not imported: it runs in its own process
SECONDS = 30.0
LIMITS = {"cpu": 20, "memory": 1 << 30}


def read_report(path: Path, shown: str) -> Report:
    """The text of a report, or a report whose `problem` says why there is none."""
    command = [sys.executable, "-m", "grader.sandbox.limited", json.dumps(LIMITS), PROGRAM]
    try:
        done = subprocess.run(
            [*command, str(path.resolve())],
            capture_output=True,
            timeout=SECONDS,
            env=clean_environment(path.parent),
            stdin=subprocess.DEVNULL,
            start_new_session=os.name == "posix",
            check=False,
        )
        answer = json.loads(done.stdout)
        pages, problem = tuple(map(str, answer.get("pages", []))), answer.get("problem")
    except subprocess.TimeoutExpired:
        pages, problem = (), f"{shown} could not be read within {SECONDS:g} s"
    except (ValueError, TypeError, AttributeError):
        pages, problem = (), f"{shown} could not be read: the reader ended on it"
    return Report(shown, pages, problem)
