"""`pytest my-homework`: the same checks, on the student's own machine, before the deadline.

Any folder with an `assignment.toml` is collected as the checks of that assignment. There is no
sandbox here, and nothing that Windows or macOS lacks: students run their own code.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import textwrap
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from grader.checking.cases import CaseResult
    from grader.checking.observations import SubmissionHandle
    from grader.records import CriterionScore
    from grader.rubric import Rubric

MARKER_FILE = "assignment.toml"
JUNK = {"__pycache__", ".venv", "venv", ".git", ".ipynb_checkpoints", "build", "dist"}
FOLDERS = pytest.StashKey[list["AssignmentFolder"]]()


def pytest_configure(config: pytest.Config) -> None:
    """Know the checks' marker and have a place for the folders that are collected."""
    config.addinivalue_line("markers", "criterion(id): the criterion that this check decides")
    config.stash[FOLDERS] = []


def pytest_collect_directory(path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Take folders that say which assignment they are; leave all others to pytest."""
    if not (path / MARKER_FILE).is_file():
        return None
    folder: AssignmentFolder = AssignmentFolder.from_parent(parent, path=path)
    folder.config.stash[FOLDERS].append(folder)
    return folder


class AssignmentFolder(pytest.Directory):
    """A student's folder: its tests are the checks of its assignment."""

    assignment: str
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
        from grader import rubric
        from grader.checking.observations import SubmissionHandle
        from grader.judge.prober import WorkerProber
        from grader.sandbox.cold import ColdLauncher
        from grader.toml_file import load_toml

        self.assignment = load_toml(self.path / MARKER_FILE, rubric.AssignmentFile).assignment
        checks = rubric.assignment_folder(self.assignment)
        self.rubric = rubric.load_rubric(self.assignment)
        files = [
            file.relative_to(self.path)
            for pattern in ("*.py", "*.ipynb")
            for file in sorted(self.path.rglob(pattern))
            if not JUNK & set(file.relative_to(self.path).parts)
        ]
        environment = {k: v for k, v in os.environ.items() if k not in _SWITCHES}
        launcher = ColdLauncher(environment | {"OMP_NUM_THREADS": "1"})
        self.results = []
        self.prober = WorkerProber(
            launcher, self.path, files, self.rubric.model, self.rubric.limits
        )
        self.handle = SubmissionHandle(self.prober)
        return sorted(f for f in checks.glob("test_*.py") if f.name != OF_REPORT)

    def scores(self) -> list[CriterionScore]:
        """Points of the criteria that checks decide, in the rubric's order."""
        from grader.judge.award import award
        from grader.records import Kind

        return [
            award(c, [r for r in self.results if r.criterion == c.id])
            for c in self.rubric.criteria
            if c.kind is Kind.CODE
        ]


#: Checks of the report, which only suggest and which people read.
OF_REPORT = "test_report.py"

#: Set by a student for other runs; they must not reach the workers.
_SWITCHES = {"VGPU", "CUDA_VISIBLE_DEVICES"}


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
    """End the worker processes."""
    for folder in config.stash.get(FOLDERS, []):
        if hasattr(folder, "prober"):
            folder.prober.__exit__()
