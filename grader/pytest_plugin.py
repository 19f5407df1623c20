"""`pytest my-homework`: the same checks, on the student's own machine, before the deadline.

Any folder with an `assignment.toml` is collected as the checks of that assignment. What it holds is
copied and run as in grading, on Linux in the same sandboxes; nothing here needs what Windows or
macOS lacks.
"""

from __future__ import annotations

import importlib.util
import shutil
import tempfile
import textwrap
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from grader.assignment import Assignment
    from grader.checking.cases import CaseResult
    from grader.checking.submission import SubmissionHandle
    from grader.records import CriterionScore
    from grader.rubric import Rubric
    from grader.sandbox.launching import Sandboxes

MARKER_FILE = "assignment.toml"
FOLDERS = pytest.StashKey[list["AssignmentFolder"]]()
OPEN = pytest.StashKey[ExitStack]()
SANDBOXES = pytest.StashKey["Sandboxes"]()


def pytest_configure(config: pytest.Config) -> None:
    """Know the checks' marker and have a place for the folders that are collected."""
    config.addinivalue_line("markers", "criterion(id): the criterion that this check decides")
    config.stash[FOLDERS] = []
    config.stash[OPEN] = ExitStack()


def pytest_collect_directory(path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Take folders that say which assignment they are; leave all others to pytest."""
    if not (path / MARKER_FILE).is_file():
        return None
    folder: AssignmentFolder = AssignmentFolder.from_parent(parent, path=path)
    folder.config.stash[FOLDERS].append(folder)
    return folder


class AssignmentFolder(pytest.Directory):
    """A student's folder: its tests are the checks of its assignment."""

    rubric: Rubric
    handle: SubmissionHandle
    results: list[CaseResult]

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        """One module per file of checks."""
        from grader.errors import GraderError

        try:
            checks = self._open()
        except GraderError as error:
            raise self.CollectError(str(error)) from error
        for file in checks:
            yield CheckFile.from_parent(
                self, path=file, name=file.name, nodeid=f"{self.nodeid}/{file.name}"
            )

    def _open(self) -> list[Path]:
        from grader import intake, rubric
        from grader.checking.run import OF_REPORT, check_files
        from grader.checking.submission import SubmissionHandle
        from grader.judge.prober import WorkerProber

        assignment = self._assignment()
        self.rubric = rubric.load_rubric(assignment)
        keep = self.config.stash[OPEN]
        copy = Path(keep.enter_context(tempfile.TemporaryDirectory())).resolve() / self.path.name
        intake.copy_files(self.path, copy)
        files = [
            file.relative_to(copy)
            for ending in intake.CODE
            for file in sorted(copy.rglob(f"*{ending}"))
        ]
        self.results = []
        launcher = _sandboxes(self.config).launcher
        words, limits = self.rubric.model, self.rubric.limits
        self.prober = WorkerProber(launcher, copy, files, words, limits, self.rubric.script)
        keep.callback(self.prober.__exit__)
        self.handle = SubmissionHandle(self.prober)
        return [f for f in check_files(assignment.checks) if f.name != OF_REPORT]

    def _assignment(self) -> Assignment:
        """The one that the folder names; the environment says best where it is."""
        from grader import assignment
        from grader.toml_file import load_toml

        said = load_toml(self.path / MARKER_FILE, assignment.AssignmentFile)
        home = self.path / said.assignments if said.assignments else None
        return assignment.find(said.assignment, assignment.named_home() or home)

    def scores(self) -> list[CriterionScore]:
        """Points of the criteria that checks decide, in the rubric's order."""
        from grader.judge.award import award
        from grader.records import Kind

        return [
            award(c, [r for r in self.results if r.criterion == c.id])
            for c in self.rubric.criteria
            if c.kind is Kind.CODE
        ]


def _sandboxes(config: pytest.Config) -> Sandboxes:
    """Those of this run of pytest; it is the student's own code, so they need not be strong."""
    from grader.sandbox.launching import sandboxes

    if SANDBOXES not in config.stash:
        started = config.stash[OPEN].enter_context(sandboxes(trust=True))
        config.stash[SANDBOXES] = started
    return config.stash[SANDBOXES]


class CheckFile(pytest.Module):
    """A file of checks, imported under a name of its own: several folders may use it."""

    def _getobj(self) -> Any:
        name = "checks_" + "".join(c if c.isalnum() else "_" for c in self.nodeid)
        spec = importlib.util.spec_from_file_location(name, self.path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module


@pytest.fixture
def submission(request: pytest.FixtureRequest) -> SubmissionHandle:
    """The student's folder, as the checks see it."""
    folder = request.node.getparent(AssignmentFolder)
    if folder is None:
        pytest.fail(f"`submission` needs a folder with {MARKER_FILE}")
    handle: SubmissionHandle = folder.handle
    return handle


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[Any]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep what each check said, and show a miss in words instead of our source code."""
    report = yield
    folder = item.getparent(AssignmentFolder)
    if folder is None:
        return report
    from grader.checking.cases import case_result
    from grader.checking.expect import notebook
    from grader.records import Outcome

    error = call.excinfo.value if call.excinfo else None
    if call.when == "setup":
        notebook.entries.clear()
    if call.when != "call" and error is None:
        return report
    result = case_result(item, error)
    folder.results.append(result)
    if result.outcome is None:
        report.outcome = "skipped"
        report.longrepr = (str(folder.path), 0, f"a person will look: {result.evidence}")
    elif result.outcome is not Outcome.PASSED and result.outcome is not Outcome.ERROR:
        where = f"\nwhere: {result.where}" if result.where else ""
        report.longrepr = result.evidence + where + (f"\ntry: {result.hint}" if result.hint else "")
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The points so far, and a hint per miss."""
    for folder in terminalreporter.config.stash[FOLDERS]:
        if getattr(folder, "results", None):
            _show_points(folder, terminalreporter)


def _show_points(folder: AssignmentFolder, terminal: pytest.TerminalReporter) -> None:
    from grader.records import Kind

    scores = folder.scores()
    earned = sum(s.earned or 0 for s in scores)
    possible = sum(s.points for s in scores)
    terminal.section(f"{folder.rubric.title}: points so far")
    for s in scores:
        points = "?" if s.earned is None else f"{s.earned:g}"
        color = {"green": s.earned == s.points, "red": s.earned == 0}
        terminal.write_line(f"{points:>5} of {s.points:g}  {s.id:<10} {s.title}", **color)
        if s.earned != s.points:
            _explain(terminal, s.evidence)
            if s.where:
                _explain(terminal, f"where: {s.where}")
        if s.hint:
            _explain(terminal, f"try: {s.hint}")
    terminal.write_line(f"{earned:>5g} of {possible:g}  for the code")
    rest = sum(c.points for c in folder.rubric.criteria if c.kind is not Kind.CODE)
    terminal.write_line(f"      {rest:g} more points are for the report; a person reads it.")
    if not list(folder.path.rglob("*.pdf")):
        terminal.write_line("      There is no PDF report in this folder yet.")


def _explain(terminal: pytest.TerminalReporter, text: str) -> None:
    """A paragraph under a criterion's line, wrapped to the terminal."""
    width = max(50, min(100, shutil.get_terminal_size().columns))
    indent = " " * 12
    terminal.write_line(textwrap.fill(text, width, initial_indent=indent, subsequent_indent=indent))


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the sandboxes, and what runs in them."""
    if OPEN in config.stash:
        config.stash[OPEN].close()
