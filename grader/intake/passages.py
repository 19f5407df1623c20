"""Finds what a report says under a heading. Nothing is guessed: whole lines, in their order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from grader.intake.report_text import clean
from grader.records import Report

#: Words that open the parts of an answer, as assignments and students write them.
_PARTS = ("do", "submit", "answer", "answers", "table", "table of results", "explanation")

_ALIASES = {"q": ("question",), "answer": ("answers",), "table": ("table of results",)}

#: What may stand before a heading: bullets, Markdown marks, "1)", "2.1.", "a)".
_NUMBERING = r"[\s#*_>•·▪–—-]*(?:(?:\d+|[a-z])[.)]+\s*)*(?:\d+\s+)?[*_]*"

#: Dots that lead to a page number, in a table of contents.
_LEADERS = re.compile(r"(?:(?:\.\s?){4,}|…)\s*\d*\s*$")

#: Longer lines are running text, whatever they start with.
_LONGEST_HEADING = 200


def find_passage(report: Report, where: Sequence[str]) -> str | None:
    """The part of a report under the headings `where`, outermost first, word for word.

    ("Task 1", "Q1") is what stands under Q1 within Task 1, headings included, from each such
    heading to the next of its kind. Without the inner heading it is all of Task 1; without
    the outer one it is None.
    """
    lines = clean(report.text).split("\n")
    for depth, label in enumerate(where):
        narrower = _section(lines, _Heading.of(label))
        if narrower is None and depth == 0:
            return None
        lines = lines if narrower is None else narrower
    return "\n".join(lines).strip("\n") or None


@dataclass(frozen=True)
class _Heading:
    """A kind of heading, such as "Task", and which of its numbers is meant, if it has any."""

    words: tuple[str, ...]
    number: int | None
    kind: re.Pattern[str]  # this heading and those that end its section

    @classmethod
    def of(cls, label: str) -> _Heading:
        """Read a label: "Task 1", "Q2", "Table", "Do/Submit" (either of them)."""
        text = label.strip().lower()
        digits = text[len(text.rstrip("0123456789")) :]
        own = [word.strip() for word in text.removesuffix(digits).split("/")]
        words = tuple(w for word in own for w in (word, *_ALIASES.get(word, ())))
        if digits:
            return cls(words, int(digits), _numbered(words))
        return cls(words, None, _unnumbered((*words, *_PARTS)))

    def opens(self, line: str) -> bool | None:
        """True for a heading that is meant, False for another of its kind, None for text."""
        if len(line) > _LONGEST_HEADING or _LEADERS.search(line):
            return None
        found = self.kind.match(line)
        if found is None:
            return None
        if self.number is None:
            return found["word"].lower() in self.words
        return int(found["number"]) == self.number


def _numbered(words: Sequence[str]) -> re.Pattern[str]:
    """Match "Task 1", "TASK 1.", "Task No. 1: x", "Task 1 Title", but not "Task 1 shows"."""
    return re.compile(
        rf"{_NUMBERING}(?:answers? (?:to|for) )?(?:{_any_of(words)})"
        r"\s*(?:#|no\.?|nr\.?|[._-])?\s*(?P<number>\d{1,6})[a-z]?(?![^\W_])"
        r"[\s*_]*(?![\s*_,;?!%&+'’]|(?-i:[a-z]))",
        re.IGNORECASE,
    )


def _unnumbered(words: Sequence[str]) -> re.Pattern[str]:
    """Match "Answer", "Answer:", "**Answer 2** -", "Table 1. Title", but not "Answer both".

    A sentence may follow an answer's heading with nothing between: "Answer No, it does not".
    """
    alone = rf"(?:{_any_of(words)})(?:\s*\d+)?[\s*_]*(?:$|[:.)(/|—–-])"
    run_in = r"(?:answers?|explanation)[\s*_]+(?-i:[A-Z])"
    return re.compile(rf"{_NUMBERING}(?={alone}|{run_in})(?P<word>{_any_of(words)})", re.IGNORECASE)


def _any_of(words: Sequence[str]) -> str:
    return "|".join(map(re.escape, sorted(set(words), key=len, reverse=True)))


def _section(lines: list[str], heading: _Heading) -> list[str] | None:
    """The lines under every such heading, joined in order; None where there is none."""
    marks = [
        (i, opens) for i, line in enumerate(lines) if (opens := heading.opens(line)) is not None
    ]
    parts = [
        lines[start:end]
        for (start, wanted), (end, _) in pairwise([*marks, (len(lines), False)])
        if wanted
    ]
    if not parts or (heading.words[0] == "table" and _lacks_rows(parts)):
        return None
    return [line for part in parts for line in part]


def _lacks_rows(parts: list[list[str]]) -> bool:
    """A caption without rows below it: the table stands above, outside of the part."""
    return sum(bool(re.search(r"\d", line)) for part in parts for line in part[1:]) < 2
