"""What a rubric's cues make of an answer: said, denied, not spoken of."""

from __future__ import annotations

import pytest

from grader.checking.answer import Answer
from grader.checking.cues import cue_cases
from grader.records import Outcome
from grader.rubric import Cue

NO = Cue("no", "Is it faster?", ["not faster", "slower"], ["faster"], "Measure it.")
WHY = Cue("because", "Why?", ["one after another", "sequential*"], ["in parallel"], "Who waits?")

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
    cases = cue_cases("t2.answer", [NO, WHY], Answer(text, pages=[3]))
    assert [case.outcome for case in cases] == outcomes
    assert [case.case for case in cases] == ["no", "because"]


def test_the_sentence_and_its_page_are_the_evidence() -> None:
    text = "Nothing. It is slower because they wait. The end."
    [case] = cue_cases("t2.answer", [NO], Answer(text, pages=[3]))
    assert case.evidence == "it says “It is slower because they wait.” (page 3)"


def test_what_is_missing_is_asked_for_and_not_told() -> None:
    answer = Answer("Answer\nIt is slower with\nevery layer of the model.", pages=[1, 1, 2])
    [_, why] = cue_cases("t2.answer", [NO, WHY], answer)
    assert why.evidence == "asked: Why? Found: nothing on it."
    assert why.where == (
        "the answer that begins “It is slower with every layer of the model.” (page 1)"
    )
    assert why.hint == "Who waits?"


def test_what_speaks_against_it_is_quoted_with_its_page() -> None:
    answer = Answer("It is what I expected.\nThe GPUs work in parallel.", pages=[1, 2])
    [_, why] = cue_cases("t2.answer", [NO, WHY], answer)
    assert why.evidence == "asked: Why? Found: an answer that seems wrong."
    assert why.where == "“The GPUs work in parallel.” (page 2)"
