"""Scores: what they add up to, and that they survive the way to disk and back."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from grader.files import write_json
from grader.records import CriterionScore, Kind, Outcome, Report, Score, State, Student, TaskTitle


def criterion(id_="t1.a", earned=1.0, points=2.0, state=None, **more):
    state = state or (State.PENDING if earned is None else State.FINAL)
    outcome = None if earned is None else Outcome.PARTIAL
    return CriterionScore(id_, points, earned, state, outcome, "seen", **more)


def score(*criteria, **more):
    return Score(
        submission="s01", student=Student("s01", "Õnne Žukova"), assignment="hw3", grader="0.1",
        devices="virtual", graded_at="2026-04-30T12:00:00+00:00", criteria=criteria, **more,
    )  # fmt: skip


def test_only_final_points_count():
    suggested = criterion("b", 1.5, state=State.PROVISIONAL)
    one = score(criterion("a", 0.5), suggested, criterion("c", None), criterion("d", 2.0))
    assert (one.total, one.possible, one.pending) == (2.5, 8.0, 4.0)


def test_points_lost_by_being_late_are_a_share_of_what_is_earned():
    """In hundredths, and what is left over is the student's."""
    late = score(criterion("a", 1.33), criterion("b", None), late_share=0.1)
    assert (late.earned, late.late_points, late.total) == (1.33, 0.13, 1.2)
    decided = replace(late, criteria=(criterion("a", 1.33), criterion("b", 2.0)))
    assert (decided.late_points, decided.total) == (0.33, 3.0)
    everything = replace(decided, late_share=1.0)
    assert (everything.late_points, everything.total) == (3.33, 0.0)


@pytest.mark.parametrize(
    ("earned", "state"), [(None, State.FINAL), (None, State.PROVISIONAL), (1.0, State.PENDING)]
)
def test_points_and_state_agree(earned, state):
    with pytest.raises(ValueError, match=r"t1\.a"):
        criterion(earned=earned, state=state)


@pytest.mark.parametrize(
    ("earned", "outcome"),
    [(2.0, Outcome.PASSED), (0.5, Outcome.PARTIAL), (0.0, Outcome.FAILED)],
)
def test_a_persons_decision_is_final(earned, outcome):
    decided = criterion(earned=None, hint="h").decided(earned, "well done")
    assert (decided.earned, decided.state, decided.outcome) == (earned, State.FINAL, outcome)
    assert (decided.comment, decided.hint) == ("well done", "h")


WHOLE = score(
    criterion("a", 2.0, kind=Kind.TABLE, found="DEPTH 6: 1.2 s", operator="Traceback"),
    criterion("b", None, comment=None, instead_of=0.5),
    title="Home Work 3",
    tasks=(TaskTitle("t1", "One"),),
    observations=({"probe": "forward", "placement": [0, 1]},),
    late="2 days",
    late_share=0.2,
    excused="was ill",
    problem="none",
    notes=("a note",),
    suspicions=("hw3.py, line 12: replaces torch.allclose",),
    ignored=("s01/x.pyc: compiled Python",),
)


def test_a_score_comes_back_from_disk(tmp_path):
    write_json(tmp_path / "s01" / "score.json", WHOLE.to_json())
    text = (tmp_path / "s01" / "score.json").read_text("utf-8")
    assert "Õnne Žukova" in text
    assert Score.from_json(json.loads(text)) == WHOLE


def test_the_contract_of_schema_1():
    data = WHOLE.to_json()
    assert {
        "schema", "submission", "student", "assignment", "grader", "devices", "graded_at", "total",
        "possible", "pending", "late", "late_share", "late_points", "excused", "criteria",
        "observations",
    } <= set(data)  # fmt: skip
    assert {"id", "points", "earned", "state", "outcome", "evidence", "hint"} <= set(
        data["criteria"][0]
    )
    assert (data["schema"], data["total"], data["possible"], data["pending"]) == (1, 1.6, 4.0, 2.0)
    assert data["criteria"][1]["earned"] is None


def test_keys_that_are_unknown_are_ignored():
    data = WHOLE.to_json() | {"new": 1}
    data["student"]["mail"] = "x@y"
    data["criteria"][0]["colour"] = "blue"
    assert Score.from_json(data) == WHOLE


@pytest.mark.parametrize(
    "spoil",
    [
        lambda d: d.update(schema=2),
        lambda d: d.pop("schema"),
        lambda d: d.pop("criteria"),
        lambda d: d.pop("student"),
        lambda d: d.update(student="s01"),
        lambda d: d.update(criteria=[5]),
        lambda d: d.update(criteria=["state"]),
        lambda d: d["criteria"][0].pop("points"),
        lambda d: d["criteria"][0].update(state="perhaps"),
        lambda d: d["criteria"][0].update(outcome="well"),
        lambda d: d["criteria"][0].update(earned=None),
        lambda d: d.update(tasks=[{}]),
    ],
)
def test_what_is_no_score_is_refused(spoil):
    data = json.loads(json.dumps(WHOLE.to_json()))
    spoil(data)
    with pytest.raises(ValueError, match=r".+"):
        Score.from_json(data)


@pytest.mark.parametrize("data", [None, [], "text", 5])
def test_what_is_no_object_is_refused(data):
    with pytest.raises(ValueError, match="schema"):
        Score.from_json(data)


def test_labels():
    assert Student("s01", "Õnne").label == "Õnne"
    assert Student("s01").label == "s01"
    assert Report(pages=("a", "b")).text == "a\nb"


def test_scores_do_not_change():
    with pytest.raises(AttributeError):
        WHOLE.late = "no"
    assert replace(WHOLE, late=None) != WHOLE


@pytest.mark.parametrize(
    ("file", "has_pages"),
    [("report.pdf", True), ("docs/Report.PDF", True), ("report.docx", False), (None, False)],
)
def test_only_a_pdf_has_the_pages_that_its_reader_sees(file, has_pages):
    assert Report(file, ("a", "b")).has_pages is has_pages
