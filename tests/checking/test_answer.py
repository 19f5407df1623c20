"""An answer knows the page of each of its sentences."""

from __future__ import annotations

import pytest

from grader.checking.answer import Answer
from grader.intake import tables_in

TEXT = """\
Task 4
Are all GPUs used? Yes, all of them are, because
every GPU holds four of the layers.
| GPUs | Time |
| --- | --- |
| 2 | 13.6 ms |
| 5 | 14.1 ms |
“More GPUs are not faster.” They take turns."""
ANSWER = Answer(TEXT, tables=tables_in(TEXT), pages=[1, 1, 2, 2, 2, 2, 3, 3])


@pytest.mark.parametrize(
    ("phrase", "quoted"),
    [
        ("all of them", "“Yes, all of them are, because every GPU holds four of the layers.”"),
        ("not faster", "““More GPUs are not faster.”"),
        ("take turns", "“They take turns.”"),
    ],
)
def test_a_sentence_is_quoted_with_the_page_on_which_it_begins(phrase, quoted):
    [found] = ANSWER.finds(phrase)
    page = 1 if phrase == "all of them" else 3
    assert ANSWER.quoted(found) == f"{quoted} (page {page})"


def test_no_page_is_named_where_there_is_none():
    answer = Answer(TEXT)
    assert answer.quoted(answer.finds("take turns")[0]) == "“They take turns.”"


def test_a_row_of_a_table():
    [table] = ANSWER.tables
    assert ANSWER.row(table) == "the table, “| GPUs | Time |” (page 2)"
    assert ANSWER.row(table, "5", "14.1 ms") == "the table, “| 5 | 14.1 ms |” (page 3)"
    assert ANSWER.row(table, "8") == ANSWER.row(table)


@pytest.mark.parametrize(
    ("text", "begins"),
    [
        (TEXT, "“Yes, all of them are, because every GPU holds four of the layers.”"),
        ("Task 4\nYes, all.", "“Task 4”"),
        ("", "“”"),
    ],
)
def test_where_an_answer_begins(text, begins):
    assert Answer(text).begins == f"the answer that begins {begins}"


def test_long_sentences_are_cut():
    long = f"It takes turns, {'very ' * 60}slowly."
    quoted = Answer(long).quoted(long)
    assert len(quoted) == 162
    assert quoted.endswith("…”")
