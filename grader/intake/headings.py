"""Which lines of a report are headings, and of what. Line by line: nothing here knows others."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from grader.intake.heading_words import (
    ENDINGS,
    NUMBER_WORDS,
    PARTS,
    QUESTIONS,
    any_of,
    number_of,
)

#: How much of a line is looked at: a heading may open a paragraph that is one long line.
_LOOKED_AT = 200

#: Dots that lead to a page number, in a table of contents.
_LEADERS = re.compile(r"(?:(?:\.\s?){4,}|…)\s*\d*\s*$")

_MARKS = r"[\s#*_>•·▪◦●–—|\[-]*"  # bullets, and Markdown's marks

#: What may stand before a heading: marks, "1)", "2.1.", "a)".
_NUMBERING = rf"{_MARKS}(?:(?:\d{{1,3}}|[a-z])[.)]+\s*)*(?:\d{{1,2}}\s+)?[*_]*"

#: "Answer to", "Home Work 3 -" before "Task 1".
_BEFORE = (
    r"(?:(?:my |our |the )?(?:answers?|solutions?|response) (?:to|for|of) (?:the )?"
    r"|vastus(?:ed)? )?"
    r"(?:(?:home\s?work|hw|assignment|lab|practical|kodutöö)\s*\d*\s*[-–—:.,/]*\s*)?"
)

#: After a heading's number: no letter, and no sentence that goes on ("Task 1 shows").
_ENDS = r"(?![^\W_])[\s*_]*(?![\s*_,;?!%&+'’]|(?-i:[^\W\d_A-ZÕÄÖÜŠŽА-Я]))"

_NUMBER = rf"(?:\d{{1,4}}|{any_of(NUMBER_WORDS)})(?![^\W_]{{2}})"
_AND = r"\s*(?:,|and|&|\+|/|ja|и)\s*"


@dataclass(frozen=True)
class Numbered:
    """A heading with numbers, most often one, and what stands behind it on its line."""

    numbers: tuple[int, ...]
    rest: str


def heading_in(line: str) -> str:
    """As much of a line as may be a heading; nothing of a line with leaders."""
    if len(line) <= _LOOKED_AT and _LEADERS.search(line):
        return ""
    return line[:_LOOKED_AT]


def numbered(line: str, words: Sequence[str]) -> Numbered | None:
    """Read "Task 1", "TASK one: x", "Tasks 4 and 5", "1. ülesanne", but not "Task 1 shows"."""
    return _numbered_line(line, tuple(words))


@lru_cache(maxsize=4096)  # each question of a report asks the same of its lines
def _numbered_line(line: str, words: tuple[str, ...]) -> Numbered | None:
    forward, backward = _numbered(words)
    found = forward.match(line) or backward.match(line)
    if found is None:
        return None
    groups = found.groupdict()
    numbers = [groups["number"], *re.findall(r"\d+", groups.get("more") or "")]
    known = tuple(n for n in map(number_of, numbers) if n is not None)
    if (last := groups.get("last")) is not None:
        known = tuple(range(known[0], min(int(last), known[0] + 20) + 1))
    return Numbered(known, line[found.end() :]) if known else None


@lru_cache(maxsize=64)
def _numbered(words: tuple[str, ...]) -> tuple[re.Pattern[str], re.Pattern[str]]:
    word = f"(?:{any_of(words)})"
    more = rf"(?P<more>(?:{_AND}(?:{word}\s*)?\d{{1,2}}(?![\d.]))+)?"
    upto = r"(?:\s*[–-]\s*(?P<last>\d{1,2})(?=\s*(?:$|[:.)])))?"
    inner = rf"(?=\s*[,/–—:-]?\s*(?:{any_of(QUESTIONS)})\.?\s?\d)"  # "Task 1, Q2"
    forward = re.compile(
        rf"{_NUMBERING}{_BEFORE}{word}\s*(?:#|no\.?|nr\.?|number|[._:-])?\s*"
        rf"(?P<number>{_NUMBER}){more}{upto}(?:[a-z](?![^\W_]))?(?:{inner}|{_ENDS})",
        re.IGNORECASE,
    )
    backward = re.compile(
        rf"{_MARKS}{_BEFORE}(?P<number>\d{{1,2}}(?=\.|st|nd|rd|th|-)|{any_of(NUMBER_WORDS)})"
        rf"(?:\.|st|nd|rd|th|-?[ay]?я|-?[oо]е)?\s*{word}(?![^\W_])(?:{inner}|{_ENDS})",
        re.IGNORECASE,
    )
    return forward, backward


def without_number(line: str, words: Sequence[str]) -> str:
    """What stands behind "Task 1" on a line; the line itself where it does not start so."""
    return _word_and_number(tuple(words)).sub("", line)


@lru_cache(maxsize=64)
def _word_and_number(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"^{_NUMBERING}(?:{any_of(words)})\s*\d{{1,2}}(?=\s)", re.IGNORECASE)


_DOTTED = re.compile(
    rf"{_MARKS}(?:Q|K|T|Task |Question )?(?P<task>\d{{1,2}})"
    r"(?:\.(?P<number>\d)|[.-]?(?P<letter>[a-h])|\s?\((?P<inner>[a-h\d])\))(?![^\W_])(?!\.\d)"
    r"[\s*_.):–—-]*(?=$|(?-i:[^\s\da-zõäöüа-я]))(?!(?:[KMGT]i?B|GPU|%))",
    re.IGNORECASE,
)
_LETTERED = re.compile(rf"{_MARKS}\(?(?P<number>[a-h])[.)][\s*_]*(?=\S|$)", re.IGNORECASE)
_LISTED = re.compile(rf"{_MARKS}\(?(?P<number>\d{{1,2}})(?P<style>[.)]\)?|:)[\s*_]*(?=\S|$)")
_BARE = re.compile(
    rf"(?P<marks>{_MARKS})\(?(?P<number>\d{{1,2}})(?P<style>[.):]*)(?:\s+|(?=$)|[–—-]+\s*)(?P<rest>.*)$"
)


def dotted(line: str) -> tuple[int, int] | None:
    """Task and question of "1.2", "1a)", "2 (b)"; a bare "1.2" followed by a word in capitals."""
    found = _DOTTED.match(line)
    if found is None:
        return None
    number = number_of(found["number"] or found["letter"] or found["inner"])
    return None if number is None else (int(found["task"]), number)


def lettered(line: str) -> int | None:
    found = _LETTERED.match(line)
    return number_of(found["number"]) if found else None


def listed(line: str) -> int | None:
    """The number of an item in a list, unless the item is a part such as "2) Answer:"."""
    found = _LISTED.match(line)
    return int(found["number"]) if found and part(line) is None else None


def bare(line: str) -> tuple[int, str] | None:
    """Number and style of "1. Splitting", "## 2", "3)": what may be a task without its word."""
    found = _BARE.match(line)
    if found is None or len(line) > 90 or part(line) is not None:
        return None
    rest = found["rest"]
    if rest and (rest[0].islower() or rest.rstrip("*_ ")[-1:] in ",;"):
        return None
    return int(found["number"]), f"{found['marks'].strip()} {found['style']}"


# ---------------------------------------------------------------------- parts

_KIND_OF = {word: kind for kind, words in PARTS.items() for word in words}
_PART = re.compile(
    rf"{_NUMBERING}(?=(?:{any_of(_KIND_OF)})(?:\s*\d+)?[\s*_]*(?:$|[:.)(/|—–-])"
    rf"|(?:answers?|explanation|vastus|selgitus)[\s*_]+(?-i:[A-ZÕÄÖÜ]))"
    rf"(?P<word>{any_of(_KIND_OF)})(?P<colon>\s*\d*[\s*_]*:)?",
    re.IGNORECASE,
)
_SHORT = re.compile(rf"{_NUMBERING}(?:A|Ans|V)\s?:")
_ENDING = re.compile(rf"{_NUMBERING}(?:{any_of(ENDINGS)})\s*[A-Z\d]?[\s*_:.]*$", re.IGNORECASE)
_TITLE = re.compile(r"#{1,6}\s|\*\*[^*]+\*\*:?\s*$|.*:[\s*_]*$")


def part(line: str) -> str | None:
    """The kind of answer that a line opens, a key of PARTS: "Table 1. DEPTH", "**Answer**".

    A small letter needs a colon: "results. Then" is how a sentence may end on the next line.
    """
    if _SHORT.match(line):
        return "answer"
    found = _PART.match(line)
    if found is not None and (not found["word"][0].islower() or found["colon"]):
        return _KIND_OF[found["word"].lower()]
    if _TITLE.match(line) and len(line) <= 70:
        words = re.findall(r"[^\W_]+", line.lower())
        kinds = [_KIND_OF[word] for word in words if word in _KIND_OF]
        first_is_capital = next((c for c in line if c.isalpha()), "a").isupper()
        if kinds and len(words) <= 7 and first_is_capital:
            return next((kind for kind in kinds if kind not in ("do", "submit")), kinds[0])
    return None


def is_ending(line: str) -> bool:
    """Whether a line opens what comes after the last answer: references, an appendix."""
    return len(line) < 60 and bool(_ENDING.match(line))


def kinds_meant(label: str) -> set[str]:
    """The kinds that a label of a rubric means: "Table", "Do/Submit" (either of them)."""
    words = [word.strip().lower() for word in label.split("/")]
    return {_KIND_OF.get(word, word) for word in words}
