"""Points for what the cases of a check say."""

from __future__ import annotations

import pytest

from grader.checking.cases import CaseResult
from grader.judge.award import award, for_a_person, undecided, without_code
from grader.records import Kind, Outcome, State
from grader.rubric import Criterion, Partial

PASSED, FAILED, BLOCKED, ERROR = (
    Outcome.PASSED, Outcome.FAILED, Outcome.BLOCKED, Outcome.ERROR)  # fmt: skip


def criterion(*partial):
    return Criterion("c", "t", "Title", 2.0, Kind.CODE, partial=list(partial))


def cases(*outcomes, names=None):
    names = names or [str(i) for i in range(len(outcomes))]
    return [
        CaseResult("c", name, outcome, f"saw {name}")
        if outcome is PASSED
        else CaseResult("c", name, outcome, f"saw {name}", f"try {name}", where=f"line {name}")
        for name, outcome in zip(names, outcomes, strict=True)
    ]


HALF_FOR_TWO = Partial(0.5, passed=2)


@pytest.mark.parametrize(
    ("outcomes", "earned", "outcome"),
    [
        ([PASSED], 2.0, PASSED),
        ([PASSED, PASSED, PASSED], 2.0, PASSED),
        ([PASSED, PASSED, FAILED], 1.0, Outcome.PARTIAL),
        ([PASSED, FAILED, FAILED], 0.0, FAILED),
        ([FAILED], 0.0, FAILED),
        ([BLOCKED, BLOCKED], 0.0, BLOCKED),
        ([BLOCKED, FAILED], 0.0, FAILED),
        ([PASSED, PASSED, None], None, None),
        ([FAILED, FAILED, None], None, None),
        ([PASSED, ERROR], None, ERROR),
        ([None, ERROR], None, ERROR),
        ([], None, ERROR),
    ],
)
def test_points(outcomes, earned, outcome):
    score = award(criterion(HALF_FOR_TWO), cases(*outcomes))
    assert (score.earned, score.outcome) == (earned, outcome)
    assert score.state is (State.PENDING if earned is None else State.FINAL)


def test_the_best_rule_that_holds_counts():
    rules = [Partial(0.25, passed=1), Partial(0.75, cases=["a", "b"]), Partial(0.5, passed=2)]
    seen = cases(PASSED, PASSED, FAILED, names=["a", "b", "c"])
    assert award(criterion(*rules), seen).earned == 1.5
    seen = cases(PASSED, FAILED, PASSED, names=["a", "b", "c"])
    assert award(criterion(*rules), seen).earned == 1.0


def test_a_miss_is_not_hidden_by_a_case_of_the_same_name():
    seen = cases(PASSED, FAILED, names=["20/2", "20/2"])
    assert award(criterion(), seen).earned == 0.0
    assert award(criterion(Partial(0.5, cases=["20/2"])), seen).earned == 0.0
    assert award(criterion(), cases(PASSED, FAILED, names=["", ""])).earned == 0.0


def test_evidence_names_the_first_miss_and_the_cases_that_hold():
    score = award(criterion(), cases(PASSED, FAILED, FAILED))
    assert score.evidence == "Right: 0. Not right: 1, 2. 1: saw 1"
    assert (score.hint, score.where) == ("try 1", "line 1")
    assert award(criterion(), cases(PASSED, PASSED)).evidence == "0: saw 0; 1: saw 1"
    assert award(criterion(), cases(PASSED, FAILED)).evidence == "Right: 0. Not right: 1. Saw 1"
    assert award(criterion(), cases(FAILED, names=[""])).evidence == "Saw "


def test_what_waits_for_a_person_says_where_and_what_to_try():
    case = CaseResult("c", "", None, "is it right?", "look here", where="hw3.py, line 3")
    score = award(criterion(), [case])
    assert (score.earned, score.hint, score.where) == (None, "look here", "hw3.py, line 3")


def test_details_are_kept_for_the_instructor():
    for outcome in (FAILED, ERROR, None):
        case = CaseResult("c", "", outcome, "text for students", operator="Traceback ...")
        score = award(criterion(), [case])
        assert score.operator == "Traceback ..."
        assert "Traceback" not in score.evidence


def test_scores_without_checks():
    assert without_code(criterion(), "no script").earned == 0.0
    assert without_code(criterion(), "no script").state is State.FINAL
    assert undecided(criterion(), "why", "details").operator == "details"
    read = for_a_person(criterion(), "Answer: 3 and 3", "nothing found")
    assert (read.found, read.state) == ("Answer: 3 and 3", State.PENDING)
    assert for_a_person(criterion(), None, "nothing found").evidence == "nothing found"
