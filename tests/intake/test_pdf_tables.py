"""What is a table without rules, and what is prose that leaves white strips."""

from __future__ import annotations

import pytest

from grader.intake.reading.pdf_tables import _is_table


@pytest.mark.parametrize(
    "rows",
    [
        [["DEPTH", "ms"], ["6", "8.1"], ["12", "16"]],
        [["GPUs", "time"], ["2", "27 ms"]],
        [["GPUs", "memory"], ["2", "1282.3, 1285.3 MiB"]],
    ],
)
def test_figures_below_heads_are_a_table(rows: list[list[str]]) -> None:
    assert _is_table(rows, ruled=False)


@pytest.mark.parametrize(
    "rows",
    [
        [["2", "Task 1", "", ""], ["Q1", "With DEPTH =", "6 the condition is true for", "i"]],
        [["of the", "layers"], ["which", "20 of them are here as one can see"]],
        [["one", "two"], ["three", "four"]],
    ],
)
def test_prose_is_none(rows: list[list[str]]) -> None:
    assert not _is_table(rows, ruled=False)
