"""Odd spellings without a dictionary: rare words that are one slip away from common ones.

A slip is a letter that is missing, added, another or in the wrong place. Not at the first letter,
nor where the rest is an ending: then it is as often another form of the word (kihtide, kihtidel).
British and American spellings are the same.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence

_COMMON = 4  # reports; what so many write is no mistake
_SHORTEST, _LONGEST = 6, 30
_ENDING = 2
_DOUBLED = re.compile(r"ll(?=ing|ed)")


def odd_spellings(
    texts: Sequence[Collection[str]], known: Iterable[str]
) -> dict[str, tuple[int, ...]]:
    """Odd spellings that at least two of the texts share, and the numbers of those.

    Texts are sets of words. `known` are words of the task and the code: right, and never odd.
    """
    holders: dict[str, list[int]] = {}
    for number, text in enumerate(texts):
        for word in _words(text):
            holders.setdefault(word, []).append(number)
    right = {word for word, own in holders.items() if len(own) >= _COMMON}
    right |= _words(known)
    meant: dict[str, list[str]] = {}
    for word in right:
        for slip in _slips(word):
            meant.setdefault(slip, []).append(word)
    return {
        word: tuple(own)
        for word, own in sorted(holders.items())
        if len(own) > 1 and word not in right
        if any(_is_slip(word, one) for slip in _slips(word) for one in meant.get(slip, ()))
    }


def _words(text: Iterable[str]) -> set[str]:
    """The words worth a look, in one English."""
    return {
        _DOUBLED.sub("l", word.replace("z", "s").replace("our", "or"))
        for word in text
        if _SHORTEST <= len(word) <= _LONGEST
    }


def _slips(word: str) -> Iterator[str]:
    """The word, and what it is without one of its letters but the first."""
    yield word
    for n in range(1, len(word)):
        yield word[:n] + word[n + 1 :]


def _is_slip(word: str, meant: str) -> bool:
    beginning = min(len(word), len(meant)) - _ENDING
    return word[:beginning] != meant[:beginning]
