"""What stands word for word in two reports is found, what the task says is not."""

from __future__ import annotations

import pytest
from forty import everybody, hand_in, starter

from grader.similarity import Given, HandedIn
from grader.similarity.words import words_in_common

SENTENCE = "My oven hummed while the second machine waited for everything."
LONG = "Because of that the third layer must idle until its neighbour has finally sent the tensor."


def found(*reports: str, given: Given | None = None):
    hand_ins = [HandedIn(f"s{n:02}", pages=(text,)) for n, text in enumerate(reports)]
    return list(words_in_common(hand_ins, given or Given()))


def test_forty_honest_reports_have_no_words_in_common():
    assert list(words_in_common(everybody(), starter())) == []


@pytest.mark.parametrize("name", ["eesti_keeles", "latex_clean", "json_config_utils_package"])
def test_a_report_with_some_words_exchanged_is_found(name):
    pages = [
        page.replace("GPU", "card").replace("layer", "level").replace("kihti", "taset")
        for page in hand_in(name).pages
    ]
    [pair] = words_in_common([*everybody(), HandedIn("zz", pages=tuple(pages))], starter())
    assert (pair.first, pair.second) == (name, "zz")


def test_one_sentence_is_enough_and_shown():
    [pair] = found(f"Mine. {SENTENCE} And so on.", f"Yours, all of it.\n\n{SENTENCE}\nWe think so.")
    assert pair.amount == "10 words"
    assert SENTENCE in pair.what
    assert pair.where == ("report, page 1", "report, page 1")


def test_ten_words_of_a_sentence_are_enough_wherever_its_lines_break():
    words = LONG.split()
    [pair] = found(
        f"As seen, {' '.join(words[:12])}.", f"{' '.join(words[:6])}\n{' '.join(words[6:])}"
    )
    assert pair.amount == "12 words"
    assert found(f"As seen, {' '.join(words[:8])}.", LONG) == []


def test_the_words_of_the_task_code_tables_and_output_do_not_count():
    asked = "Does increasing the number of layers improve speed? Explain why or why not please."
    assert found(asked, asked)
    assert found(asked, asked, given=Given(words=asked)) == []
    code = "```\nfor one layer in all the layers of my own model make it run quickly\n```"
    assert found(code, code) == []
    row = "| one two three | four five six seven eight nine ten eleven twelve thirteen |"
    assert found(row, row) == []


def test_what_more_than_a_few_write_has_one_source():
    assert len(found(*[LONG] * 3)) == 3
    assert found(*[LONG] * 4) == []


RIGHT = "parallel separate gradient necessary communication synchronize"
WRONG = "paralell seperate graident neccessary comunication synchronise"


def test_several_odd_spellings_are_found_one_alone_is_not():
    words = RIGHT.split()
    strangers = [f"{RIGHT} {n}" for n in "abcd"]
    slips = WRONG.split()
    [pair] = found(" ".join(slips[:4]), " ".join(["my own words", *slips[:3], "end"]), *strangers)
    assert (pair.first, pair.second, pair.amount) == ("s00", "s01", "3 odd spellings")
    assert pair.what == "odd spellings: graident, paralell, seperate"
    assert found(" ".join(slips[:2] + words[2:]), "my own " + " ".join(slips[:2]), *strangers) == []


def test_a_spelling_of_the_code_or_of_too_many_is_not_odd():
    strangers = [f"{RIGHT} {n}" for n in "abcd"]
    three = "my own " + " ".join(WRONG.split()[:3])
    assert found(*[three] * 3, *strangers)
    assert found(*[three] * 4, *strangers) == []
    named = HandedIn("zz", {"a.py": "seperate = 1"})
    pages = [HandedIn(f"s{n}", pages=(text,)) for n, text in enumerate([three, three, *strangers])]
    assert list(words_in_common([*pages, named], Given())) == []
