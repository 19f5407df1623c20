from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from grader.intake.names import brief, free, readable, storable


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"a b'\"c", "a b'\"c"),
        (b"a\nb\x7f", "a%0Ab%7F"),
        (b"\xe4", "%E4"),
        ("O\u0303\u2028".encode(), "Õ%2028"),
        ("日本 😀".encode(), "日本 😀"),
        ("a\u202efdp.py\u2066".encode(), "a%202Efdp.py%2066"),  # else it is shown as ayp.pdf
        ("واجب 👩‍🔬".encode(), "واجب 👩‍🔬"),
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


def test_in_a_sentence_names_are_short() -> None:
    assert brief("hw3.py") == "hw3.py"
    assert brief(f"start{'x' * 9000}\nend.py").startswith("startxxx")
    assert brief(f"start{'x' * 9000}\nend.py").endswith("xxx%0Aend.py")
    assert len(brief("x" * 9000)) == 120


def test_a_free_name_is_one_that_a_disk_takes(tmp_path: Path) -> None:
    for name in ("hw3.py", f"{'x' * 252}.py"):
        (tmp_path / name).touch()
        other = free(tmp_path / name)
        other.touch()
        assert free(tmp_path / name) not in {tmp_path / name, other}
    assert (tmp_path / "hw3 (2).py").exists()
