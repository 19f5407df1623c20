"""From what the cases of a check say to the points of its criterion, by the rubric's rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from grader.checking.cases import CaseResult
from grader.checking.cues import ASKED
from grader.judge.crosscheck import CrossCheck
from grader.records import CriterionScore, Outcome, State
from grader.rubric import Criterion


def award(criterion: Criterion, cases: Sequence[CaseResult]) -> CriterionScore:
    """Points for a criterion by what its cases say. No case at all is a failure of ours."""
    operator = "\n".join(c.operator for c in cases if c.operator) or None
    if not cases:
        return _score(
            criterion, None, Outcome.ERROR, "no check decided this; no points are lost", None
        )
    if any(c.outcome is Outcome.ERROR for c in cases):
        first = next(c for c in cases if c.outcome is Outcome.ERROR)
        return _score(criterion, None, Outcome.ERROR, first.evidence, None, operator)
    if waiting := [c for c in cases if c.outcome is None]:
        first = waiting[0]
        evidence = f"A person must look: {first.evidence}"
        score = _score(criterion, None, None, evidence, first.hint, operator)
        return replace(score, where=first.where)
    share = _share(criterion, cases)
    missed = [c for c in cases if c.outcome is not Outcome.PASSED]
    score = _score(
        criterion,
        share * criterion.points,
        _outcome(cases, share),
        _evidence(cases, missed),
        next((c.hint for c in missed if c.hint), None),
        operator,
    )
    return replace(score, where=next((c.where for c in missed if c.where), None))


def costs_points(score: CriterionScore) -> bool:
    return score.outcome in (Outcome.FAILED, Outcome.PARTIAL, Outcome.BLOCKED)


def confirmed(first: CriterionScore, second: CriterionScore) -> CriterionScore:
    """The points of a criterion that failed and was tried again: they count if both agree."""
    if first.earned == second.earned:
        return first
    tries = (("first", first), ("second", second))
    details = [f"{name} try: {s.operator}" for name, s in tries if s.operator]
    told = [f"The {name} try {_gave(s)}: {_ended(s.evidence)}" for name, s in tries]
    why = "Two tries of the same checks do not agree"
    return replace(
        first,
        earned=None,
        state=State.PENDING,
        outcome=Outcome.ERROR,
        evidence=" ".join([f"{why}, so no points are lost and a person will look.", *told]),
        where=None,
        hint="Run your script several times: something in it is not the same in every run.",
        operator="\n".join([why, *details]),
    )


def doubted(score: CriterionScore, cross_check: CrossCheck | None) -> CriterionScore:
    """Points, given or lost, wait for a person where a model goes another way at real widths."""
    if score.earned is None or cross_check is None or cross_check.agrees is not False:
        return score
    evidence = (
        f"at width {cross_check.width}, depth {cross_check.depth} and "
        f"{cross_check.gpus} GPUs the model does not do what it does at the small widths of the "
        f"checks: {cross_check.problem}. At those: {score.evidence}"
    )
    return replace(
        for_now(score, evidence),
        hint="Let nothing but the sizes of the layers depend on the width.",
    )


def suggested(score: CriterionScore) -> CriterionScore:
    """The same points as a suggestion: a person confirms them."""
    return replace(score, state=State.PROVISIONAL) if score.earned is not None else score


def for_now(score: CriterionScore, why: str) -> CriterionScore:
    """The same criterion, for a person to decide."""
    evidence = f"A person must look: {why}"
    return replace(score, earned=None, state=State.PENDING, outcome=None, evidence=evidence)


def _gave(score: CriterionScore) -> str:
    if score.earned is None:
        return "could not decide"
    return f"gave {score.earned:g} of {score.points:g}"


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith(".") else f"{sentence}."


def without_code(criterion: Criterion, reason: str) -> CriterionScore:
    """A code criterion of a hand-in that has no code: 0, and final."""
    return _score(
        criterion,
        0.0,
        Outcome.BLOCKED,
        reason,
        "Hand in the Python script that you ran, together with the report.",
    )


def undecided(criterion: Criterion, why: str, operator: str | None = None) -> CriterionScore:
    """Any criterion of a hand-in that could not be judged: a person must look."""
    return _score(criterion, None, None, why, None, operator)


def for_a_person(
    criterion: Criterion, found: str | None, missing: str, hint: str | None = None
) -> CriterionScore:
    """A criterion that people decide, with what the report says about it."""
    evidence = "A person reads the answer." if found else missing
    return replace(_score(criterion, None, None, evidence, hint), found=found)


def _share(criterion: Criterion, cases: Sequence[CaseResult]) -> float:
    missed = {c.case for c in cases if c.outcome is not Outcome.PASSED}
    holding = {c.case for c in cases} - missed  # two checks may have a case of the same name
    if not missed:
        return 1.0
    return max((p.credit for p in criterion.partial if p.earned(holding)), default=0.0)


def _outcome(cases: Sequence[CaseResult], share: float) -> Outcome:
    if share == 1.0:
        return Outcome.PASSED
    if share > 0:
        return Outcome.PARTIAL
    blocked = all(c.outcome is Outcome.BLOCKED for c in cases)
    return Outcome.BLOCKED if blocked else Outcome.FAILED


def _evidence(cases: Sequence[CaseResult], missed: Sequence[CaseResult]) -> str:
    """Everything that was seen where all holds, else the first miss, and which cases hold."""
    if not missed:
        return "; ".join(f"{c.case}: {c.evidence}" if c.case else c.evidence for c in cases)
    first = missed[0]
    said = len({c.evidence for c in missed}) == 1 or first.evidence.startswith(ASKED)
    which = f"{first.case}: " if first.case and not said else ""
    held = [c.case for c in cases if c.case and c not in missed]
    right = f"Right: {', '.join(held)}. Not right: {', '.join(c.case for c in missed)}. "
    return (right if held else "") + _capital(which + first.evidence)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _score(
    criterion: Criterion,
    earned: float | None,
    outcome: Outcome | None,
    evidence: str,
    hint: str | None,
    operator: str | None = None,
) -> CriterionScore:
    return CriterionScore(
        id=criterion.id,
        points=criterion.points,
        earned=earned,
        state=State.PENDING if earned is None else State.FINAL,
        outcome=outcome,
        evidence=evidence,
        hint=hint,
        task=criterion.task,
        title=criterion.title,
        kind=criterion.kind,
        question=criterion.question or None,
        operator=operator,
    )
