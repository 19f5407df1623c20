"""What a person decided about criteria, and how that becomes part of the scores.

A person may decide what waits for one, and change what a person decided before. What the
checks made final stays as it is: who disagrees with it uses the overrides in class.toml,
which ask for a reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from grader.records import CriterionScore, Score, State


@dataclass(frozen=True)
class Decision:
    """Points and words for one criterion of one submission.

    `earned` is None where only a comment was written: the points stay as they were, and a
    criterion that waits goes on waiting.
    """

    submission: str
    criterion: str
    earned: float | None
    comment: str = ""


def open_to_decision(criterion: CriterionScore) -> bool:
    """Whether a person may decide this: it waits for one, or a person decided it before."""
    return criterion.state is not State.FINAL or criterion.comment is not None


def apply_decisions(scores: Iterable[Score], decisions: Iterable[Decision]) -> list[Score]:
    """The scores with what was decided made final; what has no decision stays as it is.

    Raises ValueError for a decision about a criterion that is not there or not open.
    """
    pending = {(d.submission, d.criterion): d for d in decisions}
    decided = [_applied(score, pending) for score in scores]
    if pending:
        raise ValueError(f"no such criterion in the scores: {sorted(pending)}")
    return decided


def _applied(score: Score, pending: dict[tuple[str, str], Decision]) -> Score:
    mine: Mapping[str, Decision] = {
        c.id: pending.pop((score.submission, c.id))
        for c in score.criteria
        if (score.submission, c.id) in pending
    }
    criteria = tuple(_decided(c, mine[c.id]) if c.id in mine else c for c in score.criteria)
    return replace(score, criteria=criteria)


def _decided(criterion: CriterionScore, decision: Decision) -> CriterionScore:
    if not open_to_decision(criterion):
        raise ValueError(f"{decision.submission}: {criterion.id} was made final by the checks")
    if decision.earned is None:
        return replace(criterion, comment=decision.comment)
    return criterion.decided(decision.earned, decision.comment)


# ---------------------------------------------------------------------- a new result


def carry_decisions(old: Score, new: Score) -> Score:
    """The new result of a hand-in with what a person had decided about the old one.

    A decision stays where all that it rests on is the same: what was handed in, the points, the
    evidence and the passage that was found. Else the criterion waits again, and whoever reviews
    it is shown what was decided before.
    """
    same = old.made_from.get("submission") == new.made_from.get("submission")
    before = {c.id: c for c in old.criteria}
    criteria = tuple(
        _carried(before[c.id], c, same) if c.id in before and c.state is not State.FINAL else c
        for c in new.criteria
    )
    return replace(new, criteria=criteria)


def _carried(old: CriterionScore, new: CriterionScore, same: bool) -> CriterionScore:
    if old.override or old.comment is None:
        return replace(new, earlier=old.earlier)
    same = same and all(
        getattr(old, name) == getattr(new, name) for name in ("points", "evidence", "found")
    )
    if old.earned is None:
        return replace(new, comment=old.comment if same else None, earlier=old.earlier)
    if same:
        return new.decided(old.earned, old.comment)
    words = f": {old.comment}" if old.comment else ""
    return replace(new, earlier=f"{old.earned:g} of {old.points:g} points{words}")
