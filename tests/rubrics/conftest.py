"""What tests of the assignments' rubrics share: answers as a report holds them."""

from __future__ import annotations

import pytest

from grader.assignment import find
from grader.checking.answer import Answer
from grader.checking.cues import cue_cases
from grader.grading.answers import asked
from grader.intake import find_passage
from grader.records import Outcome, Report
from grader.rubric import load_rubric


@pytest.fixture
def outcomes():
    """What the cues of a criterion say of an answer."""

    def told(assignment: str, criterion: str, text: str) -> set[Outcome | None]:
        [wanted] = (c for c in load_rubric(find(assignment)).criteria if c.id == criterion)
        return {case.outcome for case in cue_cases(criterion, wanted.cue, Answer(text))}

    return told


@pytest.fixture
def found():
    """What the report says for a criterion; None where nothing is found for it alone."""

    def answer(assignment: str, criterion: str, report: str) -> str | None:
        rubric = load_rubric(find(assignment))
        [wanted] = (c for c in rubric.criteria if c.id == criterion)
        passage = find_passage(Report("r.pdf", (report,)), wanted.where, asked(rubric))
        return passage.text if passage and passage.exact else None

    return answer
