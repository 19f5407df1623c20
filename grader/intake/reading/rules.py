"""Rules of a page: the straight lines that part tables, as they look."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from grader.intake.reading.pdf_page import Box

_NEAR = 3.0  # points within which two edges are one
_MAX_RULES = 1_500  # of one direction on a page; what has more is a plot


def as_they_look(rules: Iterable[Box]) -> tuple[list[Box], list[Box]]:
    """Rules across and rules down, whole ones: programs draw them in pieces."""
    every = list(rules)
    across = _merged([r for r in every if r.x1 - r.x0 > r.y1 - r.y0])
    down = _turned(_merged([_turn(r) for r in every if r.x1 - r.x0 <= r.y1 - r.y0]))
    return across, down


def _turn(rule: Box) -> Box:
    return Box(rule.y0, rule.x0, rule.y1, rule.x1)


def _turned(rules: Iterable[Box]) -> list[Box]:
    return [_turn(rule) for rule in rules]


def _merged(rules: list[Box]) -> list[Box]:
    """Rules across, as they look: pieces that touch are one."""
    kept = sorted(rules, key=lambda r: r.x0 - r.x1)[:_MAX_RULES]
    levels: list[list[Box]] = []
    for rule in sorted(kept, key=lambda r: r.y0):
        if levels and rule.y0 - levels[-1][-1].y0 < _NEAR * 0.7:
            levels[-1].append(rule)
        else:
            levels.append([rule])
    merged: list[Box] = []
    for level in levels:
        y = sum(rule.y0 for rule in level) / len(level)
        last: Box | None = None
        for rule in sorted(level, key=lambda r: r.x0):
            if last is not None and rule.x0 - last.x1 < _NEAR:
                last.x1 = max(last.x1, rule.x1)
            else:
                last = Box(rule.x0, y, rule.x1, y)
                merged.append(last)
    return merged


@dataclass
class Grid:
    """Rules of which each crosses or meets another; `xs` and `ys` are where they run."""

    across: list[Box]
    down: list[Box]

    @property
    def xs(self) -> list[float]:
        return _levels([r.x0 for r in self.down] + _ends(self.across))

    @property
    def ys(self) -> list[float]:
        return _levels([r.y0 for r in self.across] + _ends(_turned(self.down)))

    def above(self, x0: float, x1: float, y: float) -> bool:
        """Whether a rule runs at height `y` over the middle of x0..x1."""
        x = (x0 + x1) / 2
        return any(abs(r.y0 - y) < _NEAR and r.x0 < x < r.x1 for r in self.across)

    def left(self, y0: float, y1: float, x: float) -> bool:
        """Whether a rule runs at `x` beside the middle of y0..y1."""
        y = (y0 + y1) / 2
        return any(abs(r.x0 - x) < _NEAR and r.y0 < y < r.y1 for r in self.down)


def grids(across: list[Box], down: list[Box]) -> list[Grid]:
    """The groups of rules that part a place into columns."""
    groups: list[Grid] = []
    for rule in across:
        meets = [r for r in down if _cross(rule, r)]
        near = [g for g in groups if any(r in g.down for r in meets)]
        whole = Grid([rule], list(meets))
        for group in near:
            whole.across += group.across
            whole.down += [r for r in group.down if r not in whole.down]
            groups.remove(group)
        groups.append(whole)
    return [g for g in groups if g.down and len(g.xs) > 2 and len(g.ys) > 1]


def _ends(across: list[Box]) -> list[float]:
    return [min(r.x0 for r in across), max(r.x1 for r in across)]


def _cross(across: Box, down: Box) -> bool:
    return (
        across.x0 - _NEAR < down.x0 < across.x1 + _NEAR
        and down.y0 - _NEAR < across.y0 < down.y1 + _NEAR
    )


def _levels(values: Iterable[float]) -> list[float]:
    levels: list[float] = []
    for value in sorted(values):
        if not levels or value - levels[-1] > _NEAR:
            levels.append(value)
    return levels


def of_one_width(across: list[Box]) -> list[list[Box]]:
    """Rules that begin and end at the same places, from the top down."""
    groups: list[list[Box]] = []
    for rule in sorted(across, key=lambda r: r.y0):
        for group in groups:
            if abs(group[0].x0 - rule.x0) < 4 and abs(group[0].x1 - rule.x1) < 4:
                group.append(rule)
                break
        else:
            groups.append([rule])
    return [group for group in groups if len(group) > 1]
