"""Headers, footers and page numbers: what stands at the edge of page after page."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import takewhile

_EDGE = 0.12  # of the page's height
_MOST = 3  # lines of a header
_SAME_PLACE = 4.0  # points
_NUMBER = re.compile(
    r"[\W_]*(?:page|pg\.?|p\.?|lk\.?|lehekülg|стр\.?)?\s*(?P<number>\d{1,4})"
    r"(?:\s*(?:of|/|\||-st)\s*\d{1,4})?[\W_]*",
    re.IGNORECASE,
)
_AT_AN_END = re.compile(r"^\d{1,4}\b\W*|\W*\b\d{1,4}(?:\s*(?:of|/)\s*\d{1,4})?\W*$")


@dataclass(slots=True)
class Printed:
    """A line of text with its height on the page."""

    text: str
    y: float
    is_row: bool = False
    is_code: bool = False


def drop_running(
    pages: Sequence[list[Printed]],
    heights: Sequence[float],
    is_heading: Callable[[str], bool],
) -> list[list[Printed]]:
    """The pages without what is repeated at their edges; headings of answers always stay."""
    edges = [
        [_edge(page, height), _edge(page, height, from_below=True)]
        for page, height in zip(pages, heights, strict=True)
    ]
    counted = Counter(
        key
        for number, both in enumerate(edges, 1)
        for key in {key for edge in both for line in edge for key in _keys(line, number)}
    )
    enough = max(2, round(0.4 * len(pages)))

    def runs(number: int, line: Printed) -> bool:
        keys = _keys(line, number)
        if keys == {("#", 0)} and len(pages) == 1:
            return True  # the number of the only page
        return max(counted[key] for key in keys) >= enough and not is_heading(line.text)

    kept = []
    for number, (page, both) in enumerate(zip(pages, edges, strict=True), 1):
        # From outside inwards, up to the first line that is the page's own.
        gone: set[int] = set()
        for edge in both:
            gone |= set(map(id, takewhile(partial(runs, number), edge)))
        rest = [line for line in page if id(line) not in gone]
        kept.append(rest or page)  # what is all that a page says is no header
    return kept


def _edge(page: list[Printed], height: float, *, from_below: bool = False) -> list[Printed]:
    """The outermost lines at the top of a page, or at its bottom."""
    lines = sorted((x for x in page if _at_edge(x, height)), key=lambda x: x.y, reverse=from_below)
    half = [x for x in lines if (x.y > height / 2) == from_below]
    return [x for x in half[:_MOST] if not x.is_row]


def _at_edge(line: Printed, height: float) -> bool:
    return line.y < _EDGE * height or line.y > (1 - _EDGE) * height


def _keys(line: Printed, number: int) -> set[tuple[str, int]]:
    """What is the same on every page: its text, perhaps without the page's number; its height."""
    found = _NUMBER.fullmatch(line.text)
    if found is not None:
        return {("#", int(found["number"]) - number)}
    texts = {line.text}
    if str(number) in line.text:
        texts.add(_AT_AN_END.sub("", line.text).strip())
    return {(text, round(line.y / _SAME_PLACE)) for text in texts if text}
