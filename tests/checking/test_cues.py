"""What a rubric's cues make of an answer: said, denied, not spoken of."""

from __future__ import annotations

import pytest

from grader.checking.answer import Answer
from grader.checking.cues import cue_cases
from grader.records import Outcome
from grader.rubric import Cue

NO = Cue("no", "that it is not faster", ["not faster", "slower"], ["faster"])
WHY = Cue("because", "why", ["one after another", "sequential*"], ["in parallel"])

PASSED, FAILED = Outcome.PASSED, Outcome.FAILED


@pytest.mark.parametrize(
    ("text", "outcomes"),
    [
        ("It is slower, since layers run one after another.", [PASSED, PASSED]),
        ("It is not faster.", [PASSED, FAILED]),
        ("It is faster: the GPUs work in parallel.", [FAILED, FAILED]),
        ("I expected it to be faster, but it is slower.", [PASSED, FAILED]),
        ("It is faster. Sequential layers.", [FAILED, PASSED]),
        ("It is slower. With more GPUs it is faster.", [None, FAILED]),
        ("I do not know.", [None, None]),
        ("Is it faster?", [None, None]),
    ],
)
def test_an_answer(text: str, outcomes: list[Outcome | None]) -> None:
    cases = cue_cases("t2.answer", [NO, WHY], Answer(text, page=3))
    assert [case.outcome for case in cases] == outcomes
    assert [case.case for case in cases] == ["no", "because"]


def test_the_sentence_and_its_page_are_the_evidence() -> None:
    text = "Nothing. It is slower because they wait. The end."
    [case] = cue_cases("t2.answer", [NO], Answer(text, page=3))
    assert case.evidence == "it says “It is slower because they wait.” (page 3)"


def test_what_is_missing_is_asked_for() -> None:
    [_, why] = cue_cases("t2.answer", [NO, WHY], Answer("It is slower."))
    assert why.evidence == "expected why; nothing of that was found"
    assert why.hint == "Asked for: why."
