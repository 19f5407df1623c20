from __future__ import annotations

import os

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from grader.intake.names import readable, storable


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"a b'\"c", "a b'\"c"),
        (b"a\nb\x7f", "a%0Ab%7F"),
        (b"\xe4", "%E4"),
        ("O\u0303\u2028".encode(), "Õ%2028"),
        ("日本 😀".encode(), "日本 😀"),
    ],
)
def test_readable(raw: bytes, shown: str) -> None:
    assert readable(os.fsdecode(raw)) == shown


@given(st.binary(min_size=1, max_size=255))
@example(b"\xea\xcc\x80")  # an accent behind a byte that is shown as %EA
def test_a_stored_name_is_short_text_and_stays(raw: bytes) -> None:
    name = storable(os.fsdecode(raw))
    assert len(name.encode()) <= 255
    assert storable(name) == name
    assert len(name.splitlines()) == 1


def test_long_names_stay_different_and_keep_their_ending() -> None:
    one, two = (storable("\n" * 200 + end) for end in ("a.py", "b.py"))
    assert one != two
    assert one.endswith(".py")
