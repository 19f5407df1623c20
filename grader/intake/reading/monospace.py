"""Code in a PDF: lines whose letters all stand at the same distance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from statistics import median

from grader.intake.reading.lines import Line

_ALIKE = 0.015  # of the distance
_ENOUGH = 12  # letters: a line of short words may be even by chance

FENCE = "```"


def code_lines(lines: Sequence[Line]) -> set[int]:
    """The lines, by id(), of every run of two or more that are set like code."""
    found: set[int] = set()
    run: list[Line] = []
    at = 0.0
    for line in lines:
        distance = _distance(line)
        if distance is None or (run and at and distance and abs(distance - at) > _ALIKE * at):
            found |= _if_code(run)
            run, at = [], 0.0
        if distance is not None:
            run.append(line)
            at = at or distance
    return found | _if_code(run)


def _if_code(run: list[Line]) -> set[int]:
    even = [word for line in run for word in line.words if len(word.text) > 1]
    letters = sum(len(word.text) for word in even)
    return set(map(id, run)) if len(run) > 1 and letters >= _ENOUGH and len(even) > 2 else set()


def _distance(line: Line) -> float | None:
    """Between two letters; 0 where no word has two, None where it is not the same."""
    found = [word.step / (len(word.text) - 1) for word in line.words if len(word.text) > 1]
    if not found:
        return 0.0
    middle = median(found)
    even = middle > 0 and all(abs(one - middle) <= _ALIKE * middle for one in found)
    return middle if even else None


def fenced(lines: Sequence[tuple[str, bool]]) -> Iterator[str]:
    """Lines of text, and of code between fences, as Markdown has it."""
    for is_code, group in groupby(lines, key=lambda line: line[1]):
        if is_code:
            yield FENCE
        yield from (text for text, _ in group)
        if is_code:
            yield FENCE
