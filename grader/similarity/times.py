"""Tables in common: the same measured times, to the last digit and in the same order.

Only times count. Memory, transfers and losses are the same wherever the same code runs. How likely
chance is, the class itself tells: on machines of one kind many are near one another, and numbers
of few digits are soon the same. Units do not matter (10.4 ms, 0.0104 s).
"""

from __future__ import annotations

import math
import re
from bisect import bisect, bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import combinations

from grader.intake import Quantity, quantities, tables_in
from grader.records import InCommon, Likeness
from grader.similarity.hand_ins import HandedIn, most, several

LEAST = 3  # times in common
IN_A_TABLE = 2  # of them, for a table to be the one
_DOUBT = 1e-2  # pairs that chance may make in a class
_UNLIKELY = 1e-4  # the least likely that one time is taken for
_NEAR = (0.003, 0.01, 0.03)  # of a time; within the one where it is likeliest, all are as likely
_FEW = 3  # digits of a time that several may have; fewer say nothing
_MOST = 100  # times of a report that are compared
_RING = 30  # hand-ins; what more have was given to them, by whomever
#: A part of a line has one number with a unit; what stands before it may be a loss.
_PART = re.compile(r"[\n;|]|,\s")
_SIMULATED = ("simulat", "timeline", "--clock", "virtual clock")


@dataclass(frozen=True)
class Time:
    """A measured time: its digits without point and zeros around, as written, and on which page."""

    digits: str
    text: str
    page: int


def times_in(pages: Sequence[str]) -> list[Time]:
    """The times in tables, and others with a unit; each number once, in their order."""
    found: dict[str, Time] = {}
    for page, text in enumerate(pages, 1):
        for quantity in _times(text):
            digits = _digits(quantity.value)
            told = f"{quantity.value:g} {quantity.unit or ''}".strip()
            found.setdefault(digits, Time(digits, told, page))
    return [time for time in found.values() if len(time.digits) >= _FEW][:_MOST]


def _times(text: str) -> Iterator[Quantity]:
    for table in tables_in(text):
        columns = [column for column in table.columns if column.kind == "time"]
        for cells in zip(*(column.cells for column in columns), strict=True):
            for quantity in (q for cell in cells for q in cell.quantities):
                if quantity.seconds is not None or quantity.unit is None:
                    yield quantity
    for part in _PART.split(text):
        yield from (q for q in quantities(part)[-1:] if q.seconds is not None)


def _digits(value: float) -> str:
    return f"{abs(value):.11e}".partition("e")[0].replace(".", "").rstrip("0")


def tables_in_common(hand_ins: Sequence[HandedIn]) -> Iterator[InCommon]:
    """The pairs whose times are the same beyond chance."""
    size = len(hand_ins)
    times = [times_in(one.pages) for one in hand_ins]
    holders: dict[str, list[int]] = {}
    for n, own in enumerate(times):
        for time in own:
            holders.setdefault(time.digits, []).append(n)
    shared = {x: members for x, members in holders.items() if 1 < len(members) <= _may(x, size)}
    pairs = Counter(pair for members in shared.values() for pair in combinations(members, 2))
    chance = _Chance([time.digits for own in times for time in own], size)
    for (a, b), count in sorted(pairs.items()):
        same = (
            _in_order([t for t in times[a] if t.digits in shared], times[b])
            if count >= LEAST
            else []
        )
        choices = math.comb(min(len(times[a]), len(times[b])), len(same))
        if len(same) >= LEAST and chance.pairs(one.digits for one, _ in same) * choices <= _DOUBT:
            yield _in_common((hand_ins[a], hand_ins[b]), (times[a], times[b]), same)


def _may(digits: str, size: int) -> int:
    """How many may have a time from one another; what more have is chance, or was given."""
    return several(size) if len(digits) <= _FEW else min(most(size), _RING)


class _Chance:
    """How likely it is to share times, seen from how near those of a class are."""

    def __init__(self, digits: Sequence[str], size: int) -> None:
        self._values = sorted(map(_value, digits))
        self._size = size

    def pairs(self, digits: Iterable[str]) -> float:
        """How many pairs of the class would share all these by chance."""
        return float(math.prod(map(self._one, digits)) * math.comb(self._size, 2))

    def _one(self, digits: str) -> float:
        return max(_UNLIKELY, *(self._within(_value(digits), len(digits), near) for near in _NEAR))

    def _within(self, value: float, digits: int, near: float) -> float:
        """The share of those so near, the one in question included, by the numbers there are."""
        between = [bisect(self._values, value * (1 + sign * near)) for sign in (-1, 1)]
        others = between[1] - between[0] - self._count(value)
        numbers = max(1.0, 2 * near * value * 10.0 ** (digits - 1))
        return min(1.0, (others + 1) / self._size / numbers)

    def _count(self, value: float) -> int:
        return bisect_right(self._values, value) - bisect_left(self._values, value)


def _value(digits: str) -> float:
    """From 1 to 10."""
    return float(f"{digits[0]}.{digits[1:]}")


def _in_order(first: Sequence[Time], second: Sequence[Time]) -> list[tuple[Time, Time]]:
    """The times of the one that the other has in the same order."""
    a, b = ([time.digits for time in own] for own in (first, second))
    a, b = [x for x in a if x in set(b)], [x for x in b if x in set(a)]
    by_digits = [{time.digits: time for time in own} for own in (first, second)]
    blocks = SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks()
    same = [digits for block in blocks for digits in a[block.a : block.a + block.size]]
    return [(by_digits[0][digits], by_digits[1][digits]) for digits in same]


def _in_common(
    pair: tuple[HandedIn, HandedIn],
    times: tuple[Sequence[Time], Sequence[Time]],
    same: Sequence[tuple[Time, Time]],
) -> InCommon:
    digits = {one.digits for one, _ in same}
    first, second = pair
    return InCommon(
        first.id,
        second.id,
        Likeness.TABLE,
        f"{len(same)} times",
        (len(same) / len(times[0]), len(same) / len(times[1])),
        (_pages(one for one, _ in same), _pages(other for _, other in same)),
        ", ".join(one.text for one, _ in same) + _caution(pair),
        (_tables(first, digits), _tables(second, digits)),
    )


def _pages(times: Iterator[Time]) -> str:
    return "report, page " + ", ".join(map(str, sorted({time.page for time in times})))


def _tables(hand_in: HandedIn, digits: set[str]) -> tuple[str, ...]:
    """The criteria in whose table at least two of the times stand."""
    return tuple(
        criterion
        for criterion, text in hand_in.tables.items()
        if len(digits & {time.digits for time in times_in([text])}) >= IN_A_TABLE
    )


def _caution(pair: tuple[HandedIn, HandedIn]) -> str:
    if any(word in "\n".join(one.pages).lower() for one in pair for word in _SIMULATED):
        return "; mind: simulated times are the same wherever the same code runs"
    return ""
