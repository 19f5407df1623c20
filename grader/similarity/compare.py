"""Compares all hand-ins of a class with each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from importlib import metadata

from grader.records import InCommon, Similar
from grader.similarity.hand_ins import LONGEST_REPORT, Given, HandedIn
from grader.similarity.times import tables_in_common
from grader.similarity.words import words_in_common

MOST_PAIRS = 500  # that a person may want to look at
LIBRARY = "copydetect"  # for code; an optional extra, half a second to import
_LITTLE = 200  # characters of code; with no more nothing can be said


def library_version() -> str | None:
    """The version of copydetect that is installed; None without it."""
    try:
        return metadata.version(LIBRARY)
    except metadata.PackageNotFoundError:
        return None


def compare(hand_ins: Sequence[HandedIn], given: Given) -> Similar:
    """What hand-ins have in common beyond what was given, and beyond what most of them have.

    Equal texts in equal order give equal results.
    """
    hand_ins = [_bounded(one) for one in hand_ins]
    if len(hand_ins) < 2:
        return Similar()
    code = _code(hand_ins, given)
    found = [*(code or ()), *tables_in_common(hand_ins), *words_in_common(hand_ins, given)]
    listed, cut = _strongest(found)
    return Similar(listed, cut, code is not None)


def _code(hand_ins: Sequence[HandedIn], given: Given) -> list[InCommon] | None:
    """None without copydetect, which is only imported where there is code worth it."""
    if sum(sum(map(len, one.code.values())) > _LITTLE for one in hand_ins) < 2:
        return []
    try:
        from grader.similarity.code import code_in_common
    except ImportError:
        return None
    return list(code_in_common(hand_ins, given, MOST_PAIRS + 1))


def _strongest(found: Iterable[InCommon]) -> tuple[tuple[InCommon, ...], bool]:
    """The pairs of which most is in common, in most ways; and whether there are more."""
    pairs: dict[tuple[str, str], list[InCommon]] = {}
    for one in found:
        pairs.setdefault((one.first, one.second), []).append(one)
    strength = {pair: sum(max(one.shares) for one in own) for pair, own in pairs.items()}
    ordered = sorted(pairs, key=lambda pair: (-strength[pair], pair))
    kept = (sorted(pairs[pair], key=lambda one: one.kind) for pair in ordered[:MOST_PAIRS])
    return tuple(one for own in kept for one in own), len(pairs) > MOST_PAIRS


def _bounded(one: HandedIn) -> HandedIn:
    left, pages = LONGEST_REPORT, []
    for page in one.pages:
        pages.append(page[:left])
        left -= len(pages[-1])
    return replace(one, pages=tuple(pages))
