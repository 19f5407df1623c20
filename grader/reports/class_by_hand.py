"""What class.toml says of single hand-ins, and what came of it."""

from __future__ import annotations

import math
from collections.abc import Mapping

from grader.records import Score, State
from grader.reports.class_facts import ByHand, ClassFacts
from grader.reports.sections import Column, Section


def by_hand(facts: ClassFacts, scores: Mapping[str, Score]) -> Section:
    """Every override with its reason and its effect; `scores` by submission."""
    rows = [
        (one.submission, one.key, one.said, one.reason or "", effect(one, scores))
        for one in facts.by_hand
    ]
    columns = (
        Column("hand-in", 0.13),
        Column("what", 0.12),
        Column("class.toml says", 0.25),
        Column("reason", 0.21),
        Column("effect", 0.29),
    )
    text = "Everything that class.toml says of single hand-ins." if rows else ""
    return Section("Overrides", text, columns, rows, most=200, rest="class.toml")


def effect(one: ByHand, scores: Mapping[str, Score]) -> str:
    """What came of an override, in words."""
    score = scores.get(one.submission)
    if score is None:
        return "none yet: nothing was handed in or graded"
    if one.key == "points":
        return _of_points(score, one.criteria)
    if one.key == "name":
        return "stands in reports and tables"
    if one.key == "deadline":
        return _of_deadline(one, score)
    if one.key == "excused":
        return f"{score.late}, {_kept(one, score)}" if score.late else "none: it was in time"
    return _standing(score, one.criteria)


def _of_points(score: Score, criteria: tuple[str, ...]) -> str:
    given = next((c for c in score.criteria if c.id in criteria), None)
    if given is None or not given.override:
        return "none: decided in review.csv since" if given else "none"
    if given.instead_of is None:
        return f"{_points(given.earned or 0.0)} instead of waiting for a person"
    if given.instead_of == given.earned:
        return "none: the checks give as much"
    return f"{given.earned:g} instead of {_points(given.instead_of)}"


def _of_deadline(one: ByHand, score: Score) -> str:
    if one.without is None:
        return score.late or "none: it was in time anyway"
    kept = "" if score.excused else f", {_kept(one, score)}"
    return f"{score.late or 'in time'}; without it: {one.without}{kept}"


def _kept(one: ByHand, score: Score) -> str:
    """What being late would have cost, by the points that are final."""
    points = math.floor(one.costs * score.earned * 100 + 1e-6) / 100
    return f"which would cost {_points(points)}" if points > 0 else "which costs nothing"


def _points(count: float) -> str:
    return f"{count:g} point" + ("" if count == 1 else "s")


def _standing(score: Score, criteria: tuple[str, ...]) -> str:
    """How far the criteria are that an override bears on."""
    meant = [c for c in score.criteria if c.id in criteria]
    if not meant:
        return "read as said"
    final = [c for c in meant if c.state is State.FINAL]
    possible = sum(c.points for c in meant)
    waiting = possible - sum(c.points for c in final)
    earned = sum(c.earned or 0.0 for c in final)
    if len(final) == len(meant):
        return f"{earned:g} of {_points(possible)}"
    return f"{earned:g} of {_points(possible)}; for {waiting:g} a person is waited for"
