"""Finds in running text what a phrase says, and whether the sentence says it or denies it.

A phrase is words, as they stand in a sentence: `wait* for` (a star ends any word), `(more|extra)
layers` (one of them), `each .. output` (up to eight words between), `^no` (begins a sentence).
Numbers may be digits or words. Code, rows of tables and questions say nothing.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

_GAP = 8
_SHORT = 40  # characters of a heading; lines of text that wrap are longer

_NUMBERS = (
    "zero one two three four five six seven eight nine ten eleven twelve".split(),
    "null üks kaks kolm neli viis kuus seitse kaheksa üheksa kümme üksteist kaksteist".split(),
)
_DIGITS = {word: str(n) for words in _NUMBERS for n, word in enumerate(words) if word != "null"}
_DIGITS |= {"nineteen": "19", "twenty": "20", "üheksateist": "19", "kakskümmend": "20"}
#: Words that are a pronoun or an article at least as often as a number.
_DIGITS.pop("one")
_DIGITS.pop("üks")

_TOKEN = re.compile(r"//|[<>=!]=|[^\W_]+(?:['’][^\W_]+)?|[%*+=<>/()\[\]|-]|[,;:]")
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"”')\]]*\s+(?=[\"“(\[]*[^\W\d_a-zõäöüšž])|\n{2,}")
_WORD = re.compile(r"\([^)]*\|[^)]*\)\*?|\S+")
_CODE = re.compile(r"^```.*?^```[^\S\n]*$", re.MULTILINE | re.DOTALL)
_CLAUSE = {",", ";", ":", "but", "aga", "kuid", "vaid", "however", "although", "because", "sest"}

_DENYING = frozenset(
    "not no never neither nor none cannot without hardly ei pole mitte ega ilma ära enam".split()
)
_UNSAID = frozenset(
    "expect expected thought assumed assume believed hoped hope if whether would might could "
    "should naively intuitively usually normally otherwise theory ideal ideally "
    "eeldasin arvasin ootasin lootsin kui peaks võiks oleks".split()
)
#: What may stand before the first word of an answer: "Q1", "**Answer:**", "a)", a bullet.
_LABEL = (
    r"(?:[*(-] )*"
    r"(?:(?:[qakv]\d{1,2}|(?:question|answer|küsimus|vastus)(?: \d{1,2})?|[a-h] \)) (?:[*):-] )*)?"
)
_BEFORE = 8  # words in which a denial reaches what follows it


@dataclass(frozen=True)
class Found:
    """A phrase in a sentence: `denied` by a "not" before it, `unsaid` as in "I expected"."""

    sentence: str
    phrase: str
    denied: bool
    unsaid: bool

    @property
    def said(self) -> bool:
        return not (self.denied or self.unsaid)


def sentences(text: str) -> list[str]:
    """The sentences of a text, lines that only wrap joined; code and tables are left out."""
    found: list[str] = []
    for block in re.split(r"\n\s*\n", _CODE.sub("\n\n", text)):
        lines = [line.strip() for line in block.split("\n") if not line.lstrip().startswith("|")]
        ends = [_is_heading(line, below) for line, below in pairwise([*lines, ""])]
        joined = "".join(f"{x}\n\n" if end else f"{x} " for x, end in zip(lines, ends, strict=True))
        found += [part.strip() for part in _SENTENCE_END.split(joined) if part and part.strip()]
    return found


def _is_heading(line: str, below: str) -> bool:
    """Whether a line ends before what is below it: short, no full stop, and a capital follows."""
    return len(line) <= _SHORT and line[-1:] not in {",", "-", "("} and below[:1].isupper()


def find(text: str, phrases: Iterable[str]) -> Iterator[Found]:
    """Every place where one of the phrases stands, sentence by sentence."""
    saying = _saying(text)
    everything = "\n".join(words for _, words in saying)
    patterns = [(phrase, _pattern(phrase)) for phrase in phrases if _may_be_in(everything, phrase)]
    for sentence, words in saying:
        for phrase, pattern in patterns:
            for match in _everywhere(pattern, words):
                clause = _before(words[: match.start()].split())
                own = words[match.start() : match.end()].split()
                after = words[match.end() :].split()[:1]
                denied = not _denies(phrase.split()) and _denies([*clause, *own, *after])
                unsaid = _UNSAID & {*clause, *own} - set(re.findall(r"\w+", phrase))
                yield Found(sentence, phrase, denied, bool(unsaid))


@functools.lru_cache(maxsize=64)  # many cues are looked for in one answer
def _saying(text: str) -> list[tuple[str, str]]:
    """The sentences that say something, each with its plain words: a question does not."""
    every = ((sentence, plain(sentence)) for sentence in sentences(text))
    return [(s, words) for s, words in every if not s.rstrip("\"”')] ").endswith("?")]


def _everywhere(pattern: re.Pattern[str], words: str) -> Iterator[re.Match[str]]:
    """Matches that overlap, too: one may be denied and the other not."""
    match = pattern.search(words)
    while match:
        yield match
        match = pattern.search(words, match.start() + 1)


def says(text: str, phrases: Iterable[str]) -> Found | None:
    """The first place where one of the phrases is said and not denied; None where there is none."""
    return next((found for found in find(text, phrases) if found.said), None)


def plain(text: str) -> str:
    """Lower-case words and signs with a space between, numbers as digits."""
    text = unicodedata.normalize("NFKC", text).lower().replace("−", "-").replace("–", "-")
    return " ".join(_DIGITS.get(token, token) for token in _TOKEN.findall(text))


def _before(words: list[str]) -> list[str]:
    """The last few words of the clause that is going on."""
    reach: list[str] = []
    for word in reversed(words):
        if word in _CLAUSE or len(reach) == _BEFORE:
            break
        reach.append(word)
    return reach


def _denies(words: Iterable[str]) -> bool:
    return any(word.strip("^(|)*") in _DENYING or word.endswith(("n't", "n’t")) for word in words)


def _may_be_in(text: str, phrase: str) -> bool:
    """Whether all its words are somewhere; most phrases are spared their pattern by it."""
    return all(any(start in text for start in starts) for starts in _starts(phrase))


@functools.cache
def _starts(phrase: str) -> list[list[str]]:
    """For each word of a phrase how it may begin."""
    words = [word for word in _WORD.findall(phrase.removeprefix("^")) if word != ".."]
    return [[_start(choice) for choice in _choices(word)] for word in words]


@functools.cache
def _pattern(phrase: str) -> re.Pattern[str]:
    parts = []
    start = f"^{_LABEL}" if phrase.startswith("^") else r"(?<!\S)"
    for word in _WORD.findall(phrase.removeprefix("^")):
        if word == "..":
            parts.append(rf"(?:\S+ ){{0,{_GAP}}}?")
        else:
            parts.append(f"{_word(word)} ")
    return re.compile(start + "".join(parts)[:-1] + r"(?!\S)")


def _word(word: str) -> str:
    """`(a|b)*` and the like, as a regular expression of one word."""
    star = "|" in word and word.endswith("*")
    found = [
        re.escape(_start(choice)) + (r"\S*" if star or _is_open(choice) else "")
        for choice in _choices(word)
    ]
    return f"(?:{'|'.join(found)})"


def _choices(word: str) -> list[str]:
    return word.removesuffix("*")[1:-1].split("|") if "|" in word else [word]


def _start(choice: str) -> str:
    """A word as `plain` has it, without its star."""
    start = choice.removesuffix("*") if _is_open(choice) else choice
    return plain(start) or start


def _is_open(choice: str) -> bool:
    """Whether a star ends it; a star alone is one."""
    return len(choice) > 1 and choice.endswith("*")
