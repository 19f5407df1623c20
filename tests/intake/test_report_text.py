from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.intake.report_text import clean


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("eﬃcient ﬂow of the ﬁrst ﬀ", "efficient flow of the first ff"),
        ("distri\u00ad\r\nbuted", "distributed"),
        ("distri\ufffe\nbuted", "distributed"),
        ("distri\x02\n  buted", "distributed"),
        ("co\u00adoperate", "cooperate"),
        ("well-\nknown", "well-\nknown"),  # may be a real hyphen: left alone
        ("a\r\nb\rc\x0cd", "a\nb\nc\nd"),
        ("  20\u00a0layers \t 5   GPUs  \n", "20 layers 5 GPUs"),
        ("a\n\n \n\nb", "a\n\nb"),
        ("O\u0303\ufeff", "Õ"),
        ("x² = ½", "x² = ½"),
    ],
)
def test_clean(raw: str, cleaned: str) -> None:
    assert clean(raw) == cleaned


@given(st.text(alphabet=st.sampled_from("aé ﬁ\u00ad\ufffe\x02\r\n\t\u200b\x1c\u2028O\u0303-")))
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@given(st.text())
def test_nothing_is_invented(text: str) -> None:
    assert set(clean(text)) <= set(unicodedata.normalize("NFC", text)) | set("filst \n")
