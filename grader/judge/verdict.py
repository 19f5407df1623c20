"""From what was seen of a hand-in to the points of its code: the same way now and later."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from grader.checking.answer import Answer
from grader.checking.cases import CaseResult
from grader.checking.cues import cue_cases
from grader.checking.expect import NeedsPerson
from grader.judge.award import (
    award,
    confirmed,
    costs_points,
    doubted,
    for_now,
    suggested,
    without_code,
)
from grader.judge.record import Record
from grader.judge.scriptcheck import ScriptCheck, words_for
from grader.records import CriterionScore, Json, Kind
from grader.rubric import Criterion, Rubric


@dataclass(frozen=True)
class Verdict:
    """Scores of the code criteria, suggestions for answers, and what they rest on.

    `record` is plain JSON, which `rescore` takes back.
    """

    criteria: dict[str, CriterionScore]
    observations: tuple[Json, ...] = ()
    notes: tuple[str, ...] = ()
    record: Json = field(default_factory=dict)


def rescore(rubric: Rubric, record: Json, read: Callable[[str], Answer] | None = None) -> Verdict:
    """The verdict by this rubric on what was seen earlier; no code is run.

    For a rubric of which points, titles, cues or rules for partial credit changed. Raises
    InternalError where it asks for what was never checked.
    """
    seen = Record.from_json(record)
    seen.refuse_other_rubric(code_criteria(rubric))
    return verdict_on(rubric, seen, read)


def verdict_on(
    rubric: Rubric, seen: Record, read: Callable[[str], Answer] | None = None
) -> Verdict:
    """The points that the rubric gives for what was seen, and its cues for what can be `read`."""
    scores = {c.id: _told(_score(c, seen.of(c.id)), seen) for c in code_criteria(rubric)}
    checked = [case for part in seen.parts for case in part.read]
    for criterion in (c for c in rubric.criteria if c.kind is not Kind.CODE):
        cases = [case for case in checked if case.criterion == criterion.id]
        if not cases and criterion.cue and read is not None:
            cases = _by_cues(criterion, read)
        if cases:
            scores[criterion.id] = _read(criterion, cases)
    notes = tuple(dict.fromkeys(note for part in seen.parts for note in part.notes))
    return Verdict(scores, _observations(seen), notes, seen.to_json())


def _by_cues(criterion: Criterion, read: Callable[[str], Answer]) -> list[CaseResult]:
    try:
        return cue_cases(criterion.id, criterion.cue, read(criterion.id))
    except NeedsPerson as why:
        return [CaseResult(criterion.id, "", None, str(why))]


def _observations(seen: Record) -> tuple[Json, ...]:
    """Those of one model: of the part that was trained where there are several."""
    found = [part.tries[0].observations for part in seen.parts if part.tries]
    trained = [some for some in found if any(one["probe"] == "train" for one in some)]
    return next(iter([*trained, *found]), ())


def _told(score: CriterionScore, seen: Record) -> CriterionScore:
    """The same with what was done as the instructor says."""
    said = seen.of(score.id).said
    if said is None:
        return score
    return replace(score, evidence=f"{score.evidence.rstrip('.')}. {said}")


def _read(criterion: Criterion, cases: list[CaseResult]) -> CriterionScore:
    """What is read is suggested; final are full points for cues that the rubric calls decisive."""
    score = award(criterion, cases)
    decisive = {cue.case for cue in criterion.cue if cue.decisive}
    full = score.earned == criterion.points
    return score if full and decisive >= {case.case for case in cases} else suggested(score)


def code_criteria(rubric: Rubric) -> list[Criterion]:
    return [c for c in rubric.criteria if c.kind is Kind.CODE]


def _score(criterion: Criterion, seen: Record) -> CriterionScore:
    if not seen.tries:
        return without_code(criterion, "no Python script and no notebook was handed in")
    first, *more = (award(criterion, one.of(criterion.id)) for one in seen.tries)
    score = confirmed(first, more[0]) if more and costs_points(first) else first
    if seen.asked and (costs_points(score) or "gpus" in seen.asked):
        why = "the code asks for input or arguments; with other answers it may do otherwise"
        return for_now(score, f"{why}. With ours: {score.evidence}")
    if seen.rivals is not None:
        return for_now(score, f"{seen.rivals} As for the first: {score.evidence}")
    if seen.script is not None and (told := _by_script(score, seen.script)) is not None:
        return told
    return doubted(score, seen.cross_check)


def _by_script(score: CriterionScore, check: ScriptCheck) -> CriterionScore | None:
    """The same with what the script says of it; None where it says nothing."""
    if check.agrees is False and not check.certain:
        waiting = for_now(score, f"{check.told}. By the class: {score.evidence}")
        return replace(waiting, where=check.where)
    words = words_for(check)
    if words is None or (check.replicated and not costs_points(score)):
        return None
    if check.replicated:
        evidence = f"{words} The class alone: {score.evidence}"
        return replace(score, evidence=evidence, where=check.where, hint=check.hint)
    told = replace(score, evidence=f"{score.evidence.rstrip('.')}. {words}")
    return replace(told, hint=check.hint or score.hint) if costs_points(score) else told
