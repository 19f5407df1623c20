"""Decides what a rubric's cues can of a written answer: what is said, what speaks against it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from grader.checking.answer import Answer
from grader.checking.cases import CaseResult
from grader.records import Outcome


class Cue(Protocol):
    """One thing that an answer must say: one of `any`, and none of `never`."""

    @property
    def case(self) -> str: ...

    @property
    def says(self) -> str: ...

    @property
    def any(self) -> Sequence[str]: ...

    @property
    def never(self) -> Sequence[str]: ...


def cue_cases(criterion: str, cues: Sequence[Cue], answer: Answer) -> list[CaseResult]:
    """A case for each cue. Where none is found at all, in no wording, a person must look."""
    cases = [_case(criterion, cue, answer) for cue in cues]
    if all(case.outcome is Outcome.BLOCKED for case in cases):
        told = f"nothing in it is in words that we look for ({'; '.join(c.says for c in cues)})"
        return [CaseResult(criterion, cue.case, None, told) for cue in cues]
    return [_missed(case) for case in cases]


def _case(criterion: str, cue: Cue, answer: Answer) -> CaseResult:
    """BLOCKED stands for a cue that is not spoken of. In one sentence what is against it counts."""
    said, against = answer.says(*cue.any), answer.says(*cue.never)
    if said and against and said.sentence != against.sentence:
        told = f"it says {answer.quoted(said)}, and {answer.quoted(against)}"
        return CaseResult(criterion, cue.case, None, told)
    if said and not against:
        return CaseResult(criterion, cue.case, Outcome.PASSED, f"it says {answer.quoted(said)}")
    if against:
        told = f"expected {cue.says}; it says {answer.quoted(against)}"
        return CaseResult(criterion, cue.case, Outcome.FAILED, told, f"Asked for: {cue.says}.")
    told = f"expected {cue.says}; nothing of that was found"
    return CaseResult(criterion, cue.case, Outcome.BLOCKED, told, f"Asked for: {cue.says}.")


def _missed(case: CaseResult) -> CaseResult:
    if case.outcome is not Outcome.BLOCKED:
        return case
    return CaseResult(case.criterion, case.case, Outcome.FAILED, case.evidence, case.hint)
