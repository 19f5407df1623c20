from __future__ import annotations

from pathlib import Path

from batches import fuzz

FUZZER = Path(__file__).with_name("fuzz_intake.py")


def test_damaged_classes_are_graded_or_refused() -> None:
    result = fuzz(FUZZER, 80)
    assert (result.crashes, result.hangs) == ({}, {}), result
    assert result.read > 20
    assert result.refused > 20
