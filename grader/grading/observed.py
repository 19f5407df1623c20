"""What was seen of one hand-in, as stored beside its score: points can be awarded anew from it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from grader.files import write_json
from grader.grading.answers import Reports
from grader.grading.run import HashesByName
from grader.records import Json, Report

FILE = "observed.json"
SCHEMA = 2


@dataclass(frozen=True)
class Observed:
    """`record` is a `judge.Verdict.record`; there is none where the hand-in has a `problem`.

    `made_from` are the hashes of what this follows from. `reports` are those of tasks that have
    one of their own, by their ids. `code` is what others' is compared with.
    """

    made_from: HashesByName
    seed: str
    record: Json | None
    report: Report
    problem: str | None = None
    notes: tuple[str, ...] = ()  # those of the hand-in itself
    suspicions: tuple[str, ...] = ()
    pages: tuple[str, ...] = ()  # pictures of pages of the report, files in the same folder
    protections: Json = field(default_factory=dict)
    reports: dict[str, Report] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()  # in the hand-in

    code: dict[str, str] = field(default_factory=dict)

    @property
    def found(self) -> Reports:
        """The reports, as the search for answers takes them."""
        return Reports(self.report, self.reports)

    def write(self, folder: Path) -> None:
        """Into the results folder of the hand-in."""
        write_json(folder / FILE, {"schema": SCHEMA} | asdict(self))


def read_observed(folder: Path) -> Observed | None:
    """What is stored in the results folder of a hand-in; None where that is nothing of use."""
    try:
        data = json.loads((folder / FILE).read_text("utf-8"))
        if data.pop("schema") != SCHEMA:
            return None
        report = _report(data.pop("report"))
        reports = {task: _report(own) for task, own in data.pop("reports", {}).items()}
        lines = ("notes", "suspicions", "pages", "ignored")
        data |= {name: tuple(data.get(name, ())) for name in lines}
        return Observed(report=report, reports=reports, **data)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None  # of another version, or of nobody: the code is run again


def _report(data: Json) -> Report:
    return Report(**data | {name: tuple(data.get(name, ())) for name in ("pages", "to_see")})
