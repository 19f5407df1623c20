"""Where the answers of a hand-in stand: in its report, or in a task's own."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from grader import intake
from grader.checking.answer import Answer
from grader.checking.expect import NeedsPerson
from grader.records import Report, Submission
from grader.rubric import Criterion, Rubric
from grader.sandbox import reader
from grader.sandbox.host import Launcher

#: How many files are tried where the likeliest report cannot be read.
MOST_REPORTS = 3


@dataclass(frozen=True)
class Reports:
    """The report of a hand-in, and the files that class.toml names for tasks, by their ids."""

    whole: Report = field(default_factory=Report)
    of_tasks: dict[str, Report] = field(default_factory=dict)

    def find(self, rubric: Rubric, criterion: Criterion) -> tuple[Report, intake.Passage | None]:
        """What answers a criterion, and the report in which it stands."""
        own = self.of_tasks.get(criterion.task)
        if own is not None and criterion.where:
            for report in (own, _all_of(criterion.where[0], own)):
                found = intake.find_passage(report, criterion.where, asked(rubric))
                if found is not None:
                    return own, found
        return self.whole, intake.find_passage(self.whole, criterion.where, asked(rubric))

    def answer(self, rubric: Rubric, criterion: str) -> Answer:
        """What the report says for a criterion; NeedsPerson where a person must find it."""
        [wanted] = (c for c in rubric.criteria if c.id == criterion)
        report, found = self.find(rubric, wanted)
        if found is None:
            raise NeedsPerson(missing(wanted, report))
        tables = intake.tables_in(found.text)
        return Answer(found.text, found.exact, tables, found.pages if report.has_pages else ())


def _all_of(heading: str, report: Report) -> Report:
    """A report on one task, which need not say so."""
    first, *others = report.pages or ("",)
    return replace(report, pages=(f"{heading}\n{first}", *others))


def read_reports(submission: Submission, folder: Path, launcher: Launcher) -> Reports:
    """Read the likeliest report, and what class.toml names for tasks; `folder` is a copy."""
    own = {
        what: reader.read_report(launcher, folder, file)
        for what, file in submission.files.items()
        if what not in (intake.MODEL, intake.REPORT) and file.suffix.lower() != ".py"
    }
    return Reports(_likeliest(submission, folder, launcher), own)


def _likeliest(submission: Submission, folder: Path, launcher: Launcher) -> Report:
    """The likeliest report; where it cannot be read, the next one that can."""
    found = Report(problem="no report (PDF) was handed in")
    for n, file in enumerate(submission.reports[:MOST_REPORTS]):
        report = reader.read_report(launcher, folder, file)
        if report.pages:
            told = [f"{found.problem}, so {file} was read instead"] if n else []
            return replace(report, problem="; ".join(filter(None, (*told, report.problem))) or None)
        found = report if n == 0 else found
    return found


def missing(criterion: Criterion, report: Report) -> str:
    """Why there is nothing to read for a criterion."""
    return report.problem or f"nothing was found under {' / '.join(criterion.where)!r}"


def asked(rubric: Rubric) -> intake.Asked:
    """What the rubric's assignment asks, as the search for its answers needs it."""
    return intake.Asked(
        titles=[[task.title, *task.also] for task in rubric.tasks],
        questions={tuple(c.where): c.asked for c in rubric.criteria if c.asked},
    )


def stands(passage: intake.Passage, criterion: Criterion, report: Report) -> str:
    """Where a person finds an answer, and what is doubtful about it."""
    paged = report.has_pages and len(report.pages) > 1
    page = f"on page {passage.page} of" if paged else "in"
    said = f"It stands {page} {report.file}."
    if not passage.exact:
        said += f" {criterion.where[-1]!r} is no heading there, so this is the whole task."
    if report.problem:
        said += f" Mind: {report.problem}."
    return said
