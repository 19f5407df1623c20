from __future__ import annotations

import pytest

from grader.similarity.spellings import odd_spellings


def odd(right: str, wrong: str) -> bool:
    return bool(odd_spellings([*[{right}] * 4, {wrong}, {wrong}], ()))


@pytest.mark.parametrize("wrong", ["seperate", "separrate", "sparate", "spearate", "sepparate"])
def test_a_slip_within_a_common_word_is_odd(wrong):
    assert odd("separate", wrong)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("separate", "separated"),  # another form
        ("layer", "lyer"),  # short
        ("utilization", "utilisation"),  # British
        ("modeling", "modelling"),
        ("neighboring", "neighbouring"),
        ("järjest", "järjekord"),  # another word
        ("parallel", "barallel"),  # first letters differ: another word, as often
    ],
)
def test_forms_british_words_and_other_words_are_not(right, wrong):
    assert not odd(right, wrong)


def test_one_who_errs_alone_and_rare_words_that_are_right_are_not():
    assert odd_spellings([*[{"separate"}] * 4, {"seperate"}], ()) == {}
    assert odd_spellings([*[{"separate"}] * 3, {"seperate"}, {"seperate"}], ()) == {}
    assert odd_spellings([{"seperate"}, {"seperate"}], ["separate"]) == {"seperate": (0, 1)}
