"""Grades agree with a careful teaching assistant's; a wrong point is never given with certainty."""

from __future__ import annotations

import pytest
from agreement import HERE, Agreement, compare, graded, hand_ins


@pytest.fixture(scope="module")
def found(tmp_path_factory) -> Agreement:
    corpus = hand_ins(HERE)
    return compare(corpus, graded(corpus, tmp_path_factory.mktemp("corpus")))


def shown(found: Agreement) -> str:
    return "\n".join(found.lines)


def test_nothing_is_finally_wrong(found):
    assert found.finally_wrong == 0, shown(found)


def test_code_is_decided(found):
    assert found.share("code", "final, right") >= 0.98, shown(found)


def test_what_the_code_does_is_seen(found):
    assert found.share("facts", "final, right") >= 0.99, shown(found)


def test_suggestions_are_right(found):
    counts = found.rows["read"]
    suggested = counts["suggested, right"] + counts["suggested, wrong"] + counts["final, right"]
    assert counts["suggested, right"] + counts["final, right"] >= 0.85 * suggested, shown(found)


def test_few_answers_of_readable_reports_are_left_to_a_person(found):
    assert found.share("read", "pending") <= 0.2, shown(found)


def test_most_answers_are_found(found):
    assert found.share("passages", "final, right") >= 0.9, shown(found)
