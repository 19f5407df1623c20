"""Words to lines, in the order in which a page is read.

The order in which a page is drawn is the order in which it is read, in all programs that
students write with: columns come one after the other, tables row by row. Only where it jumps
about on the page are lines put into order by their places, and a person is told.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from grader.intake.reading.pdf_page import Word

#: Steps back up the page beyond which the order of drawing is none; a page has a few anyway:
#: columns, floats, headers and footers.
_MAX_JUMPS = 0.2
_FEWEST_JUMPS = 4


@dataclass(slots=True)
class Line:
    """Words beside each other, from left to right."""

    words: list[Word]

    @property
    def x0(self) -> float:
        return self.words[0].x0

    @property
    def x1(self) -> float:
        return max(word.x1 for word in self.words)

    @property
    def base(self) -> float:
        return self.words[0].base

    @property
    def size(self) -> float:
        return max(word.size for word in self.words)

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)


def lines_of(words: Sequence[Word]) -> tuple[list[Line], bool]:
    """The lines of a page, and whether their order had to be guessed."""
    lines = _drawn(words)
    if not _jumps_about(lines):
        return lines, False
    return _by_place(words), True


def beside(a: Word, b: Word) -> bool:
    """Whether two words stand on one line; an exponent does, and a big letter."""
    return abs(a.base - b.base) < 0.5 * min(a.size, b.size)


def _drawn(words: Sequence[Word]) -> list[Line]:
    """A line ends where the next word stands lower, higher or to the left."""
    lines: list[Line] = []
    for word in words:
        if lines:
            last = lines[-1].words[-1]
            if beside(last, word) and word.x0 > last.x1 - 0.5 * word.size:
                lines[-1].words.append(word)
                continue
        lines.append(Line([word]))
    return lines


def _jumps_about(lines: list[Line]) -> bool:
    jumps = sum(
        after.base < before.base - before.size and after.x0 < before.x1
        for before, after in pairwise(lines)
    )
    # One line drawn in pieces from right to left is no jump up, and still no order.
    back = sum(
        abs(after.base - before.base) < 1 and after.x0 < before.x0
        for before, after in pairwise(lines)
    )
    wrong = jumps + back
    return wrong >= _FEWEST_JUMPS and wrong > _MAX_JUMPS * len(lines)


def _by_place(words: Sequence[Word]) -> list[Line]:
    """Down the page, or down each of two columns where nothing crosses the space between."""
    gutter = _gutter(words)
    sides = [words]
    if gutter is not None:
        sides = [[w for w in words if w.x1 <= gutter], [w for w in words if w.x1 > gutter]]
    lines: list[Line] = []
    for side in sides:
        rows = visual_lines(side)
        lines += [Line(row) for row in rows]
    return lines


def visual_lines(words: Sequence[Word]) -> list[list[Word]]:
    """Words that stand on one line, whatever the order in which they were drawn; top down."""
    rows: list[list[Word]] = []
    for word in sorted(words, key=lambda w: w.base):
        if rows and beside(rows[-1][0], word):
            rows[-1].append(word)
        else:
            rows.append([word])
    return [sorted(row, key=lambda w: w.x0) for row in rows]


def _gutter(words: Sequence[Word]) -> float | None:
    """The middle of an empty strip from top to bottom, with a good part of the text each side."""
    left, right = min(w.x0 for w in words), max(w.x1 for w in words)
    reach = left
    for word in sorted(words, key=lambda w: w.x0):
        if word.x0 - reach > 0.7 * word.size and _central(reach, word.x0, left, right):
            if sum(w.x1 <= word.x0 for w in words) > 0.2 * len(words):
                return (reach + word.x0) / 2
        reach = max(reach, word.x1)
    return None


def _central(a: float, b: float, left: float, right: float) -> bool:
    return 0.3 < ((a + b) / 2 - left) / (right - left) < 0.7


# ---------------------------------------------------------------------- words across two lines

_BROKEN = re.compile(r"(\w+)([\u00ad-])$")
_GOES_ON = re.compile(r"([^\W\d_][\w]*)")


def mend_divided(lines: list[str], words: set[str]) -> list[str]:
    """Put together words that were divided at the end of a line: their rest moves up.

    `words` are those of the document, in small letters. A hyphen that PDFium does not call one
    of division stays, unless the whole word stands elsewhere.
    """
    mended = list(lines)
    for n, (line, following) in enumerate(pairwise(lines)):
        broken, goes_on = _BROKEN.search(line), _GOES_ON.match(following)
        if broken is None or goes_on is None or not goes_on[0][0].islower():
            continue
        first, rest = broken[1], goes_on[0]
        whole, compound = f"{first}{rest}".lower(), f"{first}-{rest}".lower()
        if whole not in words and (broken[2] == "-" or compound in words):
            continue
        so_far = mended[n]  # its own beginning may have moved up
        if not so_far.endswith(broken[0]):
            continue
        end = following[len(rest) :]
        tail = re.match(r"\S*", end)
        rest += tail[0] if tail else ""
        mended[n] = so_far[: -len(broken[2])] + rest
        mended[n + 1] = following[len(rest) :].lstrip()
    return mended
