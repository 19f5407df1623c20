"""Runs an assignment's checks with pytest and returns what each case said.

Collecting costs more than running, so it may be done once for many hand-ins: within
`collected(folder, use)`, which processes may be forked from, `run_checks` only runs.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest

from grader.checking.cases import (
    MARKER,
    CaseResult,
    Check,
    case_result,
    check_of,
    criterion_of,
)
from grader.checking.expect import notebook
from grader.checking.submission import SubmissionHandle
from grader.errors import InternalError

#: Parts of pytest that no check needs. The last two collect garbage ten times: 40 ms each run.
_WITHOUT = (
    *("cacheprovider", "debugging", "doctest", "faulthandler", "junitxml", "legacypath", "logging"),
    *("pastebin", "setuponly", "setupplan", "stepwise", "threadexception", "unraisableexception"),
)
_OPTIONS = (
    *("-c", os.devnull, "-q", "-s", "--disable-plugin-autoload", "-p", "pytest_timeout"),
    *(option for name in _WITHOUT for option in ("-p", f"no:{name}")),
    *("--import-mode", "importlib", "--strict-markers", "--tb", "short"),
)


#: Checks of the report, which only suggest; the others decide about code.
OF_REPORT = "test_report.py"

Wanted = Callable[[str], bool]  # whether the checks of a criterion are to run


@dataclass
class Checks:
    """The pytest plugin that runs an assignment's checks, once collected, for hand-ins."""

    use: Callable[[], None]
    handle: SubmissionHandle | None = None
    results: list[CaseResult] = field(default_factory=list)
    session: pytest.Session | None = None

    def run(self, handle: SubmissionHandle, wanted: Wanted) -> list[CaseResult]:
        """What the checks of the criteria that are wanted say of one hand-in."""
        assert self.session is not None
        self.handle, self.results = handle, []
        items = [item for item in self.session.items if wanted(criterion_of(item))]
        for item, following in zip_longest(items, items[1:]):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        return self.results

    def pytest_configure(self, config: pytest.Config) -> None:
        config.addinivalue_line("markers", MARKER)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """In place of pytest's own loop; that one also says what could not be collected."""
        if session.testsfailed or not session.items:
            return None
        self.session = session
        self.use()
        return True

    @pytest.fixture
    def submission(self) -> SubmissionHandle:
        """The hand-in that is being graded."""
        assert self.handle is not None
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


_collected: dict[Path, Checks] = {}


def check_files(folder: Path) -> list[Path]:
    """The files of checks in a folder. Wrong hand-ins, in folders below, may have others."""
    return sorted(folder.glob("test_*.py"))


def checks_in(folder: Path) -> list[Check]:
    """Every case of the checks in a folder, not run. InternalError where one is no Python."""
    found: list[Check] = []

    def use() -> None:
        session = _collected[folder].session
        assert session is not None
        found.extend(map(check_of, session.items))

    if check_files(folder):
        collected(folder, use, seconds=1)
    return found


def run_checks(
    folder: Path,
    handle: SubmissionHandle,
    *,
    seconds: float,
    wanted: Wanted = lambda criterion: True,  # noqa: ARG005 - of all
) -> list[CaseResult]:
    """Run the checks in `folder`, of the criteria that are wanted, in this process.

    Each check gets at most `seconds`. Raises InternalError where pytest could not run them at all.
    """
    if not check_files(folder):
        return []  # people read all of it
    if folder in _collected:
        return _collected[folder].run(handle, wanted)
    results = []

    def use() -> None:
        results.extend(_collected[folder].run(handle, wanted))

    collected(folder, use, seconds=seconds)
    return results


def collected(folder: Path, use: Callable[[], None], *, seconds: float) -> None:
    """Collect the checks in `folder`, with so many `seconds` each, and call `use`.

    Raises InternalError where they cannot be collected.
    """
    printed = io.StringIO()
    checks = Checks(use)
    where = ("--rootdir", str(folder), "--confcutdir", str(folder))
    files = [str(file) for file in check_files(folder)]
    if not files:
        raise InternalError(f"there are no checks in {folder}")
    with (
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(printed),
        _without_options_of_the_shell(),
        _forgetting_modules(folder),
    ):
        _collected[folder] = checks
        try:
            code = pytest.main(
                [*files, *where, *_OPTIONS, "--timeout", str(seconds)],
                plugins=[checks],
            )
        finally:
            del _collected[folder]
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        raise InternalError(
            f"the checks in {folder} could not be run",
            found=printed.getvalue().strip()[-2000:],
        )


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
    below = f"{folder}{os.sep}"
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and file.startswith(below):
            del sys.modules[name]
