"""What is found of a pair stands together, the strongest pair first; hostile texts cost little."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from forty import disguised, everybody, hand_in, starter

from grader.records import Likeness
from grader.similarity import Given, HandedIn, compare

SCRIPT = """
import sys
from forty import everybody, hand_in, starter
from grader.similarity import compare
copy = type(hand_in("latex_clean"))("zz", hand_in("latex_clean").code)
print(compare([*everybody()[:20], copy], starter()).in_common)
"""


def test_nobody_is_compared_with_nobody():
    assert compare([], Given()).in_common == ()
    assert compare([hand_in("latex_clean")], Given()).in_common == ()


def test_all_of_a_pair_stands_together():
    pytest.importorskip("copydetect", reason="the extra `similarity` is not installed")
    whole, part = hand_in("latex_clean"), hand_in("eesti_keeles")
    code = {file: disguised(text) for file, text in whole.code.items()}
    copies = [replace(whole, id="zz", code=code), HandedIn("aa", pages=part.pages[-1:])]
    found = compare([*everybody(), *copies], starter())
    assert [(one.first, one.second, one.kind.value) for one in found.in_common] == [
        ("latex_clean", "zz", "code"),
        ("latex_clean", "zz", "table"),
        ("latex_clean", "zz", "words"),
        ("eesti_keeles", "aa", "words"),
    ]
    assert (found.pairs, found.cut, found.code) == (2, False, True)


def test_equal_texts_give_equal_results_whatever_pythons_hashes_are():
    pytest.importorskip("copydetect", reason="the extra `similarity` is not installed")
    printed = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in "12"
    }
    assert len(printed) == 1
    assert "latex_clean" in printed.pop()


def test_without_copydetect_tables_and_words_are_compared(monkeypatch):
    monkeypatch.setitem(sys.modules, "copydetect.utils", None)
    monkeypatch.delitem(sys.modules, "grader.similarity.code", raising=False)
    copy = replace(hand_in("latex_clean"), id="zz")
    found = compare([*everybody(), copy], starter())
    assert not found.code
    assert {one.kind for one in found.in_common} == {Likeness.TABLE, Likeness.WORDS}


@pytest.mark.parametrize(
    "text",
    ["```1.2.3.e5\n\n", "| 1 | 2 |\n```×10^", "1 ", "GPU 0: 1 ms\n", "A. ", "\n", "9" * 50, "\0"],
)
def test_a_hostile_report_of_megabytes_takes_seconds(text):
    pages = (text * (10 * 2**20 // len(text)),)
    began = time.process_time()
    compare([HandedIn("a", pages=pages), HandedIn("b", pages=pages[:0])], Given())
    assert time.process_time() - began < 10
