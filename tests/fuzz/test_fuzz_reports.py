from __future__ import annotations

from fuzz_reports import fuzz, summary


def test_damaged_reports_are_read_or_refused() -> None:
    result = fuzz(120)
    assert (result.crashes, result.hangs) == ({}, []), summary(result)
    assert result.read > 20
    assert result.refused > 10
