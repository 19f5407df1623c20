"""Decides what a rubric's cues can of a written answer: what is said, what speaks against it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from grader.checking.answer import Answer
from grader.checking.cases import CaseResult
from grader.checking.phrases import Found
from grader.records import Outcome

#: Begins the evidence of a cue that is not met; the question says which one it is.
ASKED = "asked: "


class Cue(Protocol):
    """One thing that is asked: an answer says one of `any`, and none of `never`."""

    @property
    def case(self) -> str: ...

    @property
    def asks(self) -> str: ...

    @property
    def hint(self) -> str | None: ...

    @property
    def any(self) -> Sequence[str]: ...

    @property
    def never(self) -> Sequence[str]: ...


def cue_cases(criterion: str, cues: Sequence[Cue], answer: Answer) -> list[CaseResult]:
    """A case for each cue. Where none is spoken of, in no wording, a person must look."""
    spoken = [(answer.says(*cue.any), answer.says(*cue.never)) for cue in cues]
    if not any(said or against for said, against in spoken):
        told = f"nothing in it is in words that we look for ({' '.join(c.asks for c in cues)})"
        return [CaseResult(criterion, cue.case, None, told) for cue in cues]
    return [
        _case(criterion, cue, answer, said, against)
        for cue, (said, against) in zip(cues, spoken, strict=True)
    ]


def _case(
    criterion: str, cue: Cue, answer: Answer, said: Found | None, against: Found | None
) -> CaseResult:
    """What is said and what speaks against it; in one sentence, what is against it counts."""
    if said and against and said.sentence != against.sentence:
        told = f"it says {answer.quoted(said)}, and {answer.quoted(against)}"
        return CaseResult(criterion, cue.case, None, told)
    if said and not against:
        return CaseResult(criterion, cue.case, Outcome.PASSED, f"it says {answer.quoted(said)}")
    where = answer.quoted(against) if against else answer.begins
    found = "an answer that seems wrong" if against else "nothing on it"
    told = f"{ASKED}{cue.asks} Found: {found}."
    return CaseResult(criterion, cue.case, Outcome.FAILED, told, cue.hint, where=where)
