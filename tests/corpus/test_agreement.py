"""Grades agree with a careful teaching assistant's; a wrong point is never given with certainty."""

from __future__ import annotations

from typing import Any

import pytest
from agreement import HERE, Agreement, compare, graded, hand_ins
from lost_points import unexplained


@pytest.fixture(scope="module")
def scores(tmp_path_factory) -> dict[str, dict[str, Any]]:
    return graded(hand_ins(HERE), tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module")
def found(scores) -> Agreement:
    return compare(hand_ins(HERE), scores)


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


@pytest.mark.parametrize("hand_in", hand_ins(HERE), ids=lambda path: path.name)
def test_a_lost_point_says_what_where_and_what_to_try(hand_in, scores):
    assert not unexplained(scores[hand_in.name]["criteria"], hand_in / "files")
