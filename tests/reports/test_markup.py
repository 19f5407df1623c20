"""The gate for strangers' text: what is kept, what is replaced, how it is cut."""

from __future__ import annotations

import pytest

from grader.reports.fonts import BOLD, HAN, HANGUL, SANS, face_for
from grader.reports.text import (
    UNPRINTABLE,
    clean,
    few_lines,
    is_printable,
    markup,
    one_line,
    unwrapped,
)


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("e\u0301", "é"),
        ("a\x00b\x1bc\td", "a b c d"),
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("a\u200bb\u202ec\ufeff\u00ad", "abc"),
        ("a\u00a0\u3000b", "a b"),
        ("ok\ufe0f", "ok"),
        ("x سلام عليكم y", f"x {UNPRINTABLE} y"),
        ("\ud800", UNPRINTABLE),
        ("\uf8ff", UNPRINTABLE),
        ("  a \n\n b ", "a\n\nb"),
    ],
)
def test_clean(text, cleaned):
    assert clean(text) == cleaned


@pytest.mark.parametrize(
    ("char", "face"),
    [("ž", SANS), ("Щ", SANS), ("λ", SANS), ("→", SANS), ("王", HAN), ("さ", HAN), ("김", HANGUL)],
)
def test_each_script_has_a_face(char, face):
    assert face_for(char) == face


@pytest.mark.parametrize("char", "אعกक\u0eb1\ud800\U0010ffff")
def test_scripts_that_need_shaping_have_none(char):
    assert face_for(char) is None


def test_printable_means_all_of_it():
    assert is_printable("Õnne 王 김")
    assert not is_printable("Õnne עברית")


def test_markup_escapes_and_changes_face():
    assert markup("a<b>&\n王") == f'a&lt;b&gt;&amp;<br/><font name="{HAN}">王</font>'
    assert markup("aλ", BOLD) == "aλ"
    assert markup("김", BOLD) == f'<font name="{HANGUL}">김</font>'


def test_one_line_is_cut_between_words():
    assert one_line("one  two\nthree", 50) == "one two three"
    assert one_line("alpha beta gamma delta", 14) == "alpha beta…"
    assert one_line("x" * 50, 10) == "x" * 9 + "…"
    assert len(one_line("word " * 10**5, 80)) <= 80


def test_few_lines_keep_the_lines_of_a_table():
    table = "DEPTH time\n6 1.0\n\n12 2.0\n24 4.1"
    assert few_lines(table, 100, 5) == "DEPTH time\n6 1.0\n12 2.0\n24 4.1"
    assert few_lines(table, 100, 2) == "DEPTH time\n6 1.0…"
    assert len(few_lines(table * 100, 50, 100)) <= 50


def test_line_breaks_of_the_margin_are_taken_out_and_those_of_a_table_kept():
    prose = "GPU 0 gets 3 layers and GPU 1 gets 3 layers, because depth // 2 is\n3 here."
    assert unwrapped(prose) == prose.replace("\n", " ")
    assert unwrapped("Task 2\n6 1.0\n12 2.0") == "Task 2\n6 1.0\n12 2.0"
    assert unwrapped("x" * 80 + "\n\nnext") == "x" * 80 + "\n\nnext"
