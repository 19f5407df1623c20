from __future__ import annotations

from pathlib import Path

from batches import fuzz

FUZZER = Path(__file__).with_name("fuzz_reports.py")


def test_damaged_reports_are_read_or_refused() -> None:
    result = fuzz(FUZZER, 120)
    assert (result.crashes, result.hangs) == ({}, {}), result
    assert result.read > 20
    assert result.refused > 10
