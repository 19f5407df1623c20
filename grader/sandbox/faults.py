"""Why a probe gave no observation, told apart by whose doing it is.

Raised in the worker, carried over the wire as JSON, read by the judge.
"""

from __future__ import annotations

import linecache
import traceback
from pathlib import Path

from grader.records import Json


class StudentFault(Exception):
    """The student's code failed. `where` is "file, line n"; `details` is for the instructor."""

    def __init__(self, message: str, *, where: str | None = None, details: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.details = details

    def to_json(self) -> Json:
        return {"message": self.message, "where": self.where, "details": self.details[-8000:]}


class ImportFault(StudentFault):
    """The file cannot even be loaded, so nothing after it was reached."""


class InterfaceGap(Exception):
    """We do not know how to use this code. Not the student's mistake: a person must look."""


def student_fault(error: BaseException, folder: Path) -> StudentFault:
    """Describe an exception of the student's code by its last line inside `folder`."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).is_relative_to(folder)
    ]
    where = None
    if frames:
        last = frames[-1]
        where = f"{Path(last.filename).relative_to(folder)}, line {last.lineno}"
        code = linecache.getline(last.filename, last.lineno or 0).strip()
        where += f": {code}" if code else ""
    text = str(error).strip()
    first = text.splitlines()[0] if text else ""
    name = type(error).__name__
    return StudentFault(
        f"{name}: {first}" if first else name,
        where=where,
        details="".join(traceback.format_exception(error)),
    )
