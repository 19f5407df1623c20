"""A small class: what the gradebook and the review sheet are made from."""

from __future__ import annotations

from typing import Any

from grader.records import CriterionScore, Kind, Outcome, Score, State, Student


def final(id_: str, points: float, earned: float, **more: Any) -> CriterionScore:
    outcome = Outcome.PASSED if earned == points else Outcome.FAILED
    return CriterionScore(id_, points, earned, State.FINAL, outcome, "seen", **more)


def waiting(id_: str, points: float, **more: Any) -> CriterionScore:
    more = {"title": f"About {id_}", "kind": Kind.WRITTEN} | more
    return CriterionScore(id_, points, None, State.PENDING, None, "a person reads it", **more)


def score(id_: str, name: str | None, *criteria: CriterionScore, **more: Any) -> Score:
    defaults = {"grader": "0.1.0", "devices": "virtual", "graded_at": "2026-05-01T08:00:00+00:00"}
    return Score(id_, Student(id_, name), "hw3", criteria=criteria, **(defaults | more))


def a_class() -> list[Score]:
    found = "Q1) 3 and 3\nbecause 6 // 2 = 3"
    question = "At DEPTH 6: 3 and 3."
    return [
        score(
            "s01",
            "Õnne Žukova",
            waiting("t1.q1", 1.5, found=found, question=question),
            final("t3.even", 1, 1.0),
            waiting("t5.counts", 1.5),
        ),
        score(
            "s02",
            "王小明",
            waiting("t1.q1", 1.5),
            final("t3.even", 1, 0.5),
            late="2 h late",
            problem="no report",
        ),
    ]
