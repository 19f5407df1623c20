"""What fails is tried once more; what does not fail twice alike costs nothing."""

from __future__ import annotations

import json

import attrs
import pytest
from stand_ins import MODEL

from grader.assignment import find
from grader.errors import InternalError
from grader.judge import judge, rescore
from grader.judge.award import award
from grader.judge.record import Record
from grader.records import Kind, Outcome, State
from grader.rubric import Partial

INIT = "        super().__init__()\n"


def failing(condition):
    """The model, which cannot be built where the condition holds."""
    return MODEL.replace(
        INIT, f"{INIT}        if {condition}:\n            raise ValueError('no')\n"
    )


ODD_WIDTHS_FAIL = failing("dim % 2")
FIVE_GPUS_FAIL = failing("torch.cuda.device_count() == 5")
BAD_LUCK = "import os\n" + failing("dim < 99 and os.urandom(1)[0] % 2 == 0")
UNEVEN_AT_ODD_WIDTHS = MODEL.replace(
    "{i * gpus // depth}", "{min(i // (depth // gpus), gpus - 1) if dim % 2 else i * gpus // depth}"
)
ALL = {"t3.detect", "t3.even", "t4.run"}


def tried(verdict):
    """The criteria of each try."""
    return [{case["criterion"] for case in one["cases"]} for one in verdict.record["tries"]]


def test_what_passes_is_tried_once(judged):
    verdict = judged(MODEL)
    assert tried(verdict) == [ALL]
    assert {s.outcome for s in verdict.criteria.values()} == {Outcome.PASSED}


def test_what_fails_and_then_passes_is_an_error_that_tells_both(judged):
    verdict = judged(ODD_WIDTHS_FAIL, 23, 24)
    assert tried(verdict) == [ALL, ALL]
    for score in verdict.criteria.values():
        assert (score.earned, score.state, score.outcome) == (None, State.PENDING, Outcome.ERROR)
        assert "do not agree" in score.evidence
        assert "first try gave 0 of 1: Building the model failed: ValueError: no" in score.evidence
        assert "second try gave 1 of 1" in score.evidence
        assert score.hint
        assert "Traceback" in score.operator


def test_what_passes_at_once_is_not_tried_until_it_fails(judged):
    verdict = judged(ODD_WIDTHS_FAIL, 24, 23)
    assert {s.earned for s in verdict.criteria.values()} == {1.0}


def test_what_fails_twice_counts_and_only_its_checks_run_again(judged):
    verdict = judged(FIVE_GPUS_FAIL, 23, 24)
    assert tried(verdict) == [ALL, ALL]
    assert {i: s.earned for i, s in verdict.criteria.items()} == {
        "t3.detect": 0.5, "t3.even": 0.0, "t4.run": 0.5,
    }  # fmt: skip
    verdict = judged(UNEVEN_AT_ODD_WIDTHS, 23, 25)
    assert tried(verdict) == [ALL, {"t3.even"}]
    assert {i: s.earned for i, s in verdict.criteria.items()} == {
        "t3.detect": 1.0, "t3.even": 0.5, "t4.run": 1.0,
    }  # fmt: skip


def test_two_tries_that_earn_different_shares_do_not_agree(judged):
    score = judged(UNEVEN_AT_ODD_WIDTHS, 23, 24).criteria["t3.even"]
    assert score.outcome is Outcome.ERROR
    assert "first try gave 0.5 of 1" in score.evidence


def test_what_waits_for_a_person_is_not_tried_again(judged):
    verdict = judged(MODEL.replace("return x", "return x, x"))
    assert tried(verdict) == [ALL]
    assert {s.earned for s in verdict.criteria.values()} == {None}
    assert {s.outcome for s in verdict.criteria.values()} == {None}


def test_widths_and_workers_of_the_second_try_are_fresh(judged):
    seen = judged(FIVE_GPUS_FAIL).record["tries"]
    first, second = ({o["dim"] for o in one["observations"] if "dim" in o} for one in seen)
    assert len(first) == len(second) == 1
    assert first != second


def test_bad_luck_costs_points_only_where_it_struck_twice(judged, rubric):
    criteria = {c.id: c for c in rubric.criteria}
    struck = 0
    for _ in range(4):
        verdict = judged(BAD_LUCK)
        tries = Record.from_json(verdict.record).tries
        for name, score in verdict.criteria.items():
            earned = [award(criteria[name], one.of(name)).earned for one in tries if one.of(name)]
            struck += earned[0] != 1.0
            assert score.earned == (earned[0] if len(set(earned)) == 1 else None)
    assert struck


def test_the_same_seed_repeats_both_tries(judged):
    first, second = (judged(FIVE_GPUS_FAIL, seed="one").record["tries"] for _ in range(2))
    for one in (*first, *second):
        for case in one["cases"]:
            case.pop("operator")  # a traceback, which names a temporary folder
    assert first == second
    assert len(first) == 2


def test_a_hand_in_that_hangs_costs_one_more_probe(judged):
    verdict = judged(failing("any(iter(lambda: 0, 1))"), build=0.7, lost=0.5)
    assert {s.earned for s in verdict.criteria.values()} == {0.0}
    first, second = (
        [o for o in one["observations"] if o["probe"] == "forward"]
        for one in verdict.record["tries"]
    )
    assert ["not tried" in o["error"] for o in first] == [False] + [True] * 8
    assert [o["error"] for o in second] == [o["error"] for o in first]


# ------------------------------------------------------------------ points that move later


@pytest.fixture
def seen(judged):
    """A verdict with a full, a partial and a failed criterion in it, as it is kept on disk."""
    record = judged(FIVE_GPUS_FAIL).record
    return json.loads(json.dumps(record, allow_nan=False))


def evolved(rubric, name, **changes):
    criteria = [attrs.evolve(c, **changes) if c.id == name else c for c in rubric.criteria]
    return attrs.evolve(rubric, criterion=criteria)


def test_the_same_rubric_gives_the_same_verdict(judged, rubric):
    for text, widths in [(FIVE_GPUS_FAIL, ()), (ODD_WIDTHS_FAIL, (23, 24))]:
        verdict = judged(text, *widths)
        kept = json.loads(json.dumps(verdict.record, allow_nan=False))
        assert rescore(rubric, kept) == verdict


def test_points_titles_and_partial_credit_move_without_running_code(seen, rubric):
    moved = evolved(rubric, "t3.detect", points=4.0, title="New")
    moved = evolved(moved, "t3.even", partial=[Partial(0.25, cases=["20/2"])])
    scores = rescore(moved, seen).criteria
    assert (scores["t3.detect"].earned, scores["t3.detect"].title) == (2.0, "New")
    assert scores["t3.even"].outcome is Outcome.PARTIAL
    assert scores["t3.even"].earned == 0.25


def test_no_code_is_kept_as_such(rubric, launcher, tmp_path):
    verdict = judge(find("hw3"), rubric, tmp_path, [], launcher)
    again = rescore(evolved(rubric, "t3.even", points=3.0), verdict.record)
    assert again.criteria["t3.even"].points == 3.0
    assert {s.earned for s in again.criteria.values()} == {0.0}


MISFITS = {
    "more is asked": (lambda r: evolved(r, "t1.q1", kind=Kind.CODE), r"t1\.q1.*no checks"),
    "less is asked": (lambda r: evolved(r, "t3.even", kind=Kind.WRITTEN), r"t3\.even"),
    "another id": (lambda r: evolved(r, "t3.even", id="t3.odd"), r"t3\.even"),
    "another case": (
        lambda r: evolved(r, "t3.even", partial=[Partial(0.5, cases=["9/4"])]), r"9/4 of t3\.even"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "says"), MISFITS.values(), ids=MISFITS)
def test_a_rubric_that_asks_for_other_checks_is_refused(change, says, seen, rubric):
    with pytest.raises(InternalError, match=says) as told:
        rescore(change(rubric), seen)
    assert "grade the hand-in again" in str(told.value)


@pytest.mark.parametrize("spoil", [{"schema": 1}, {"tries": [{}]}, {"tries": None}, {"notes": 3}])
def test_what_is_no_record_is_refused(spoil, seen, rubric):
    with pytest.raises(InternalError, match="does not fit the rubric"):
        rescore(rubric, seen | spoil)
