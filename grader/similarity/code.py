"""Code in common: pieces of tokens that two hand-ins share, whatever the names in them are.

copydetect turns code into tokens in which names, strings and comments no longer matter, and cuts
them into overlapping pieces, as MOSS does. All pieces are compared, not a sample of them: a
sample would depend on Python's hashes, which are others in each run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from copydetect.utils import filter_code, get_copied_slices, hashed_kgrams

from grader.records import InCommon, Likeness
from grader.similarity.hand_ins import Given, HandedIn, most

PIECE = 25  # characters, after each name has become one: copydetect's own default
LEAST = 200  # pieces in common: about ten lines
SHARE = 0.5  # of the one that has less of its own

Hashes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class _File:
    """`hashes[i]` is of the piece that begins at `i` in the tokens."""

    name: str
    text: str
    hashes: Hashes
    offsets: npt.NDArray[np.int64]  # (place in the tokens, characters that tokens lack before it)

    def places(self, wanted: Hashes) -> Iterator[tuple[int, int]]:
        """Where runs of the wanted pieces begin and end, in tokens."""
        at = np.flatnonzero(np.isin(self.hashes, wanted))
        for begin, end in get_copied_slices(at, PIECE).T:
            yield int(begin), int(end)

    def line(self, place: int) -> int:
        """The line of the text that a place in the tokens stands in."""
        row = min(int(np.searchsorted(self.offsets[:, 0], place)), len(self.offsets) - 1)
        return self.text.count("\n", 0, place + int(self.offsets[row, 1])) + 1


@dataclass(frozen=True)
class _Run:
    """A piece of a file, from token to token."""

    file: _File
    begin: int
    end: int

    @property
    def lines(self) -> tuple[int, int]:
        return self.file.line(self.begin), self.file.line(self.end - 1)

    def __str__(self) -> str:
        first, last = self.lines
        return f"{self.file.name}, lines {first}-{last}"


def code_in_common(hand_ins: Sequence[HandedIn], given: Given, limit: int) -> Iterator[InCommon]:
    """The pairs with most code in common, `limit` of them."""
    files = [[_file(name, text) for name, text in one.code.items()] for one in hand_ins]
    own = _own([_pieces(of_one) for of_one in files], _pieces([_file("", t) for t in given.code]))
    sizes = np.array([max(len(one), 1) for one in own])
    shared = _shared(own)
    share = shared / np.minimum(sizes[:, None], sizes[None, :])
    pairs = np.argwhere(np.triu((share >= SHARE) & (shared >= LEAST), 1))
    for a, b in sorted(pairs.tolist(), key=lambda pair: -shared[*pair] * share[*pair])[:limit]:
        both = np.intersect1d(own[a], own[b], assume_unique=True)
        shares = len(both) / int(sizes[a]), len(both) / int(sizes[b])
        yield _in_common((hand_ins[a].id, hand_ins[b].id), (files[a], files[b]), shares, both)


def _in_common(
    ids: tuple[str, str],
    files: tuple[Sequence[_File], Sequence[_File]],
    shares: tuple[float, float],
    both: Hashes,
) -> InCommon:
    lines = {(file.name, n) for file in files[0] for n in _lines(file, both)}
    longest = max(_runs(files[0], both), key=lambda run: run.end - run.begin)
    inside = np.intersect1d(longest.file.hashes[longest.begin : longest.end], both)
    other = max(_runs(files[1], inside), key=lambda run: run.end - run.begin)
    where = str(longest), str(other)
    return InCommon(*ids, Likeness.CODE, f"{len(lines)} lines", shares, where)


def _runs(files: Sequence[_File], wanted: Hashes) -> Iterator[_Run]:
    for file in files:
        for begin, end in file.places(wanted):
            yield _Run(file, begin, end)


def _lines(file: _File, wanted: Hashes) -> Iterator[int]:
    for run in _runs([file], wanted):
        first, last = run.lines
        yield from range(first, last + 1)


# ---------------------------------------------------------------------- pieces


def _file(name: str, text: str) -> _File:
    tokens, offsets = filter_code(text, name, language="python")
    return _File(name, text, hashed_kgrams(tokens, PIECE).astype(np.int64), offsets)


def _pieces(files: Sequence[_File]) -> Hashes:
    """All pieces of some files, each once."""
    return np.unique(np.concatenate([np.empty(0, np.int64), *(file.hashes for file in files)]))


def _own(sets: Sequence[Hashes], given: Hashes) -> list[Hashes]:
    """Of each set of pieces those that were not given to all, nor are most of the sets'."""
    pieces, holders = np.unique(np.concatenate(sets), return_counts=True)
    known = np.concatenate([given, pieces[holders > most(len(sets))]])
    return [np.setdiff1d(one, known, assume_unique=False) for one in sets]


def _shared(sets: Sequence[Hashes]) -> npt.NDArray[np.int64]:
    """How many pieces each two sets share."""
    size = len(sets)
    whose = np.repeat(np.arange(size), [len(one) for one in sets])
    pieces = np.concatenate(sets)
    order = np.argsort(pieces, kind="stable")
    pieces, whose = pieces[order], whose[order]
    begins = np.unique(pieces, return_index=True)[1]
    ends = np.append(begins, len(pieces))[1:]
    groups = Counter(
        whose[begin:end].tobytes()
        for begin, end in zip(begins, ends, strict=True)
        if end - begin > 1
    )
    found = np.zeros((size, size), np.int64)
    for group, count in groups.items():  # pieces that the same hand-ins hold are counted at once
        members = np.frombuffer(group, whose.dtype)
        found[np.ix_(members, members)] += count
    return found
