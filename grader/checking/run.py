"""Runs an assignment's checks with pytest and returns what each case said.

`CheckPlugin` is the pytest side of it: the marker `criterion`, the fixture `submission`, and
a `CaseResult` per test. The grader and the students' own pytest both use it.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import traceback
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from grader.checking.expect import NeedsPerson, Unmet, notebook
from grader.checking.observations import ProbeFailed, SubmissionHandle
from grader.errors import InternalError
from grader.records import Outcome

MARKER = "criterion(id): the criterion of the rubric that this check decides"


#: Parts of pytest that no check needs. The last two collect garbage ten times: 40 ms each run.
_WITHOUT = (
    *("cacheprovider", "debugging", "doctest", "faulthandler", "junitxml", "legacypath", "logging"),
    *("pastebin", "setuponly", "setupplan", "stepwise", "threadexception", "unraisableexception"),
)


@dataclass(frozen=True)
class CaseResult:
    """What one case of a check says. `outcome` None: a person must look.

    `case` is the parametrisation's id ("20/2"). `evidence` and `hint` are for the student,
    `operator` (a traceback) for the instructor.
    """

    criterion: str
    case: str
    outcome: Outcome | None
    evidence: str
    hint: str | None = None
    operator: str | None = None


def case_result(item: pytest.Item, error: BaseException | None) -> CaseResult:
    """Translate how a check ended."""
    criterion, case = criterion_of(item), _case(item)
    if error is None:
        seen = "; ".join(dict.fromkeys(e.seen for e in notebook.entries if e.seen))
        return CaseResult(criterion, case, Outcome.PASSED, seen)
    if isinstance(error, Unmet):
        e = error.expectation
        evidence = f"expected {e.expected}; seen: {e.seen}"
        return CaseResult(criterion, case, Outcome.FAILED, evidence, e.hint)
    if isinstance(error, ProbeFailed):
        outcome = Outcome.BLOCKED if error.blocked else Outcome.FAILED
        return CaseResult(criterion, case, outcome, error.message, error.hint, error.operator)
    if isinstance(error, NeedsPerson):
        return CaseResult(criterion, case, None, str(error), operator=error.operator)
    return CaseResult(
        criterion,
        case,
        Outcome.ERROR,
        "the check itself failed; no points are lost",
        operator="".join(traceback.format_exception(error)),
    )


def criterion_of(item: pytest.Item) -> str:
    marker = item.get_closest_marker("criterion")
    if marker is None or not marker.args:
        raise InternalError(f"the check {item.name} has no @pytest.mark.criterion(id)")
    return str(marker.args[0])


def _case(item: pytest.Item) -> str:
    callspec = getattr(item, "callspec", None)
    return str(callspec.id) if callspec is not None else ""


@dataclass
class CheckPlugin:
    """The pytest plugin that turns tests into case results for one hand-in."""

    handle: SubmissionHandle
    criteria: set[str] | None = None  # None: all
    results: list[CaseResult] = field(default_factory=list)

    def pytest_configure(self, config: pytest.Config) -> None:
        config.addinivalue_line("markers", MARKER)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        if self.criteria is not None:
            items[:] = [item for item in items if criterion_of(item) in self.criteria]

    @pytest.fixture
    def submission(self) -> SubmissionHandle:
        """The hand-in that is being graded."""
        return self.handle

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[Any]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        error = call.excinfo.value if call.excinfo else None
        if call.when == "setup":
            notebook.entries.clear()
        if call.when == "call" or error is not None:
            self.results.append(case_result(item, error))
        return report


def run_checks(
    folder: Path, handle: SubmissionHandle, *, seconds: float, criteria: set[str] | None = None
) -> list[CaseResult]:
    """Run the checks in `folder` (of some `criteria` only, where told) in this process.

    Each check gets at most `seconds`. Raises InternalError where pytest could not run them at all.
    """
    plugin = CheckPlugin(handle, criteria)
    printed = io.StringIO()
    arguments = [
        *(str(folder), "--rootdir", str(folder), "--confcutdir", str(folder), "-c", os.devnull),
        *("-q", "--disable-plugin-autoload", "-p", "pytest_timeout"),
        *(option for name in _WITHOUT for option in ("-p", f"no:{name}")),
        *("--import-mode", "importlib", "--strict-markers"),
        *("--timeout", str(seconds), "--tb", "short"),
    ]
    with (
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(printed),
        _without_options_of_the_shell(),
        _forgetting_modules(folder),
    ):
        code = pytest.main(arguments, plugins=[plugin])
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        raise InternalError(
            f"the checks in {folder} could not be run",
            found=printed.getvalue().strip()[-2000:],
        )
    return plugin.results


@contextlib.contextmanager
def _without_options_of_the_shell() -> Iterator[None]:
    """PYTEST_ADDOPTS is meant for other runs of pytest than ours."""
    options = os.environ.pop("PYTEST_ADDOPTS", None)
    try:
        yield
    finally:
        if options is not None:
            os.environ["PYTEST_ADDOPTS"] = options


@contextlib.contextmanager
def _forgetting_modules(folder: Path) -> Iterator[None]:
    """Forget the checks afterwards: those of another assignment may have the same file names."""
    yield
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and Path(file).is_relative_to(folder):
            del sys.modules[name]
