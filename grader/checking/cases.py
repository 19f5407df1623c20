"""What one case of a check says, as data; pytest's item and how it ended, translated."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from pathlib import Path

import pytest

from grader.checking.expect import NeedsPerson, Unmet, notebook
from grader.checking.observations import ProbeFailed
from grader.errors import InternalError
from grader.records import Outcome

MARKER = "criterion(id): the criterion of the rubric that this check decides"


@dataclass(frozen=True)
class CaseResult:
    """What one case of a check says. `outcome` None: a person must look.

    `case` is the parametrisation's id ("20/2"). `evidence`, `where` (a line of the code, a sentence
    of the report) and `hint` are for the student, `operator` (a traceback) for the instructor.
    """

    criterion: str
    case: str
    outcome: Outcome | None
    evidence: str
    hint: str | None = None
    operator: str | None = None
    where: str | None = None


@dataclass(frozen=True)
class Check:
    """One case of a check as it is written. `criterion` None: it is not marked with one."""

    criterion: str | None
    case: str
    function: str
    file: Path
    line: int


def check_of(item: pytest.Item) -> Check:
    function = getattr(item, "originalname", None) or item.name
    line = (item.location[1] or 0) + 1
    return Check(_marked(item), _case(item), function, item.path, line)


def case_result(item: pytest.Item, error: BaseException | None) -> CaseResult:
    """Translate how a check ended."""
    criterion, case = criterion_of(item), _case(item)
    if error is None:
        seen = "; ".join(dict.fromkeys(e.seen for e in notebook.entries if e.seen))
        return CaseResult(criterion, case, Outcome.PASSED, seen)
    if isinstance(error, Unmet):
        e = error.expectation
        evidence = f"expected {e.expected}; seen: {e.seen}"
        return CaseResult(criterion, case, Outcome.FAILED, evidence, e.hint, where=e.where)
    if isinstance(error, ProbeFailed):
        outcome = Outcome.BLOCKED if error.blocked else Outcome.FAILED
        told = (error.message, error.hint, error.operator, error.where)
        return CaseResult(criterion, case, outcome, *told)
    if isinstance(error, NeedsPerson):
        told = (str(error), error.hint, error.operator, error.where)
        return CaseResult(criterion, case, None, *told)
    return CaseResult(
        criterion,
        case,
        Outcome.ERROR,
        "the check itself failed; no points are lost",
        operator="".join(traceback.format_exception(error)),
    )


def criterion_of(item: pytest.Item) -> str:
    criterion = _marked(item)
    if criterion is None:
        raise InternalError(f"the check {item.name} has no @pytest.mark.criterion(id)")
    return criterion


def _marked(item: pytest.Item) -> str | None:
    marker = item.get_closest_marker("criterion")
    return str(marker.args[0]) if marker is not None and marker.args else None


def _case(item: pytest.Item) -> str:
    callspec = getattr(item, "callspec", None)
    return str(callspec.id) if callspec is not None else ""
