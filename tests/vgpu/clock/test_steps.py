"""Which spans make a step."""

from __future__ import annotations

import pytest

from grader.timeline import Kind, Phase, Span
from grader.vgpu.clock.steps import Mark, number

PHASES = {"f": Phase.FORWARD, "b": Phase.BACKWARD, "o": Phase.OPTIMIZER, ".": Phase.OTHER}
MARKS = {"!": Mark.TOLD, "O": Mark.OPTIMIZED, "|": Mark.SYNCHRONIZED}


def steps(run: str) -> str:
    """A run as letters: spans by phase, marks between them; answered: the step of each span."""
    spans: list[Span] = []
    marks: list[tuple[int, Mark]] = []
    for letter in run.replace(" ", ""):
        if letter in PHASES:
            begin = float(len(spans))
            spans.append(Span(0, 0, begin, begin + 1, "x", Kind.COMPUTE, PHASES[letter]))
        else:
            marks.append((len(spans), MARKS[letter]))
    return "".join("-" if s.step is None else str(s.step) for s in number(spans, marks))


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        ("..|ff bb oO| .|ff bb oO| .", "--00000-11111-"),
        (".ff.bb ff.bb oO .f b oO", "-00000000000-111"),
        ("ffbb oO oO oO ffbb oO oO", "0000000111111"),
        (".|.|fb|..|fb|.", "--00--11-"),
        (".|ff|bb|", "-0011"),
        (".fb.", "-000"),
        (".|.fb.", "--000"),
        (".|...|..|", "011122"),
        ("..b oO ..b oO", "00001111"),
        (".f b! f b oO! f", "-00111-"),
        ("fb oO ff oO", "000111"),
        ("", ""),
        ("|O!", ""),
    ],
)
def test_steps(run: str, expected: str) -> None:
    assert steps(run) == expected
