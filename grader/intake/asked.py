"""What an assignment asks, in its own words: how answers without plain headings are found."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import lru_cache

#: How much alike two wordings of one title are: "Use all GPUs", "Using all GPUs (3 points)".
_ALIKE = 0.83
_LEAD = re.compile(r"^(?:[\W_]*(?:\d{1,2}|[ivx]{1,4}|[a-h])[.):\s–—-]+|[\W_]+)+", re.IGNORECASE)
_POINTS = re.compile(r"[(\[]?\s*\d+(?:[.,]\d+)?\s*(?:points?|pts?|p|punkti?)\.?\s*[)\]]?\s*$", re.I)


@dataclass(frozen=True)
class Asked:
    """`titles` are those of the tasks in their order, each in all its wordings.

    `questions` are the questions as the assignment puts them, in all their wordings, by the
    `where` of the criterion that they belong to.
    """

    titles: Sequence[Sequence[str]] = ()
    questions: Mapping[tuple[str, ...], Sequence[str]] = field(default_factory=dict)

    def task_titled(self, line: str) -> int | None:
        """The number of the task whose title is on this line, whatever number is before it."""
        return _titled(tuple(map(tuple, self.titles)), line)


@lru_cache(maxsize=4096)  # the same lines are asked about for every criterion
def _titled(titles: tuple[tuple[str, ...], ...], line: str) -> int | None:
    text = _plain(_POINTS.sub("", line.rstrip(" *_#")))
    words = set(text.split())
    for number, wordings in enumerate(titles, 1):
        for title in map(_plain, wordings):
            if _worth_comparing(words, title, text) and _alike(text, title):
                return number
    return None


def repeats(question: str, lines: Sequence[str]) -> bool:
    """Whether the first of these lines begins a question, which may run over the next ones."""
    wanted = _plain(question)
    first = _plain(lines[0]).split() if lines and len(lines[0]) < 400 else []
    if not wanted or not first or first[0][:4] not in {w[:4] for w in wanted.split()[:3]}:
        return False
    found = _plain(" ".join(lines[:3]))[: len(wanted) + 4]
    return len(found) > 0.6 * len(wanted) and _alike(found, wanted)


def _worth_comparing(words: set[str], title: str, text: str) -> bool:
    """Cheaply says no to nearly all lines: half of a title's words must be there."""
    if not text or len(text) > 1.6 * len(title) + 8:
        return False
    own = title.split()
    begins = {word[:4] for word in words}
    return sum(word[:4] in begins for word in own) >= max(1, len(own) / 2)


def _alike(a: str, b: str) -> bool:
    return SequenceMatcher(None, a, b, autojunk=False).ratio() >= _ALIKE


@lru_cache(maxsize=4096)  # every line is compared with each question
def _plain(text: str) -> str:
    """Small letters and digits, without a number or mark before them."""
    return " ".join(re.findall(r"[^\W_]+", _LEAD.sub("", text).lower()))
