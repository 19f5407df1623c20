"""The beginning of an assignment: small, complete, and right as it is. Its author changes it."""

from __future__ import annotations

import re
from pathlib import Path

import grader
from grader.assignment import Assignment, built_in, named_home
from grader.errors import UsageError

_RUBRIC = """\
# What this assignment is worth, and for what. All that may stand here: docs/writing-assignments.md

title = "NAME: count the GPUs"
points = 3                        # what all criteria add up to

[[script]]
id = "main"                       # checks ask for it by this name
names = ["NAME"]                  # how students call the file

[[task]]
id = "t1"
title = "Count the GPUs"

[[criterion]]
id = "t1.count"
task = "t1"
title = "The number of GPUs is found"
points = 2
kind = "code"                     # decided by a check in test_NAME.py

[[criterion]]
id = "t1.why"
task = "t1"
title = "Why no number stands in the script"
points = 1
kind = "written"                  # decided by a person; cues suggest points
question = "On another machine it would be wrong."
where = ["Task 1", "Answer"]      # the headings above it in the report
asked = ["Why should the number of GPUs not stand in the script?"]

[[criterion.cue]]
case = "elsewhere"
asks = "What if the script runs somewhere else?"
hint = "How many GPUs does your own machine have?"
any = ["(other|another|different) .. (machine*|computer*|number*)", "(more|fewer|less) .. gpus"]
"""

_CHECKS = '''\
"""NAME: each check decides one criterion of rubric.toml, by what the script was seen to do."""

import re

import pytest

from grader.checking.expect import expect


@pytest.mark.criterion("t1.count")
@pytest.mark.parametrize("gpus", [1, 2, 5], ids=["1 GPU", "2 GPUs", "5 GPUs"])
def test_the_number_of_gpus_is_printed(submission, gpus):
    run = submission.program("main", gpus=gpus)
    expect(
        str(gpus) in re.findall(r"\\d+", run.printed),
        expected=f"{gpus} printed where there are so many GPUs",
        seen=repr(run.printed),
        hint="Ask torch.cuda.device_count().",
    )
'''

_REFERENCE = """\
import torch

print("GPUs:", torch.cuda.device_count())
"""

_REPORT = """\
# NAME

## Task 1

### Answer

The script is to run on other machines too, and there may be more or fewer GPUs there.
"""

_TEMPLATE = """\
gpus = ...  # Task 1: how many GPUs are there?
print("GPUs:", gpus)
"""

_README = """\
# NAME

1. Let `NAME.py` print how many GPUs there are. Try it: `vgpu -n 5 NAME.py`.
2. `pytest .` says which points you have so far, and what to try for the others.
3. Hand in the script and a PDF with your answer under the headings *Task 1* and *Answer*.
"""

_WRONG = 'print("GPUs:", 2)\n'

_LOSES = """\
why = "the number of GPUs of the author's own machine"

[earned]
"t1.count" = 0.0
"""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


def write_starter(name: str, home: Path | None = None) -> Assignment:
    """Write the three folders of a new assignment into `home`, by default the environment's.

    Raises UsageError, and writes nothing, where the name does not fit or one of them is there.
    """
    assignment = Assignment(name, home or _own_home())
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be the name of an assignment",
            expected="letters, digits, - and _, such as ring or practical5",
        )
    for folder in (assignment.checks, assignment.reference, assignment.template):
        if folder.exists():
            raise UsageError(
                f"{folder} is there already", do="take another name; nothing was written"
            )
    for path, text in _files(assignment).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("NAME", name), "utf-8")
    return assignment


def _own_home() -> Path:
    home = named_home() or built_in()
    if home.parent == Path(grader.__file__).parent:
        raise UsageError(
            "a new assignment needs a place of its own", do="name a folder with --assignments DIR"
        )
    return home


def _files(assignment: Assignment) -> dict[Path, str]:
    script = f"{assignment.name}.py"
    return {
        assignment.rubric: _RUBRIC,
        assignment.checks / f"test_{script}": _CHECKS,
        assignment.wrong / "always_two" / script: _WRONG,
        assignment.wrong / "always_two" / "loses.toml": _LOSES,
        assignment.reference / script: _REFERENCE,
        assignment.reference / "report.md": _REPORT,
        assignment.template / "assignment.toml": 'assignment = "NAME"\n',
        assignment.template / script: _TEMPLATE,
        assignment.template / "README.md": _README,
    }
