"""Words in common: what stands word for word in two reports, and odd spellings that few share.

Code, rows of tables and numbers are left out, and so is what the task itself says.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from grader.checking.phrases import sentences
from grader.records import InCommon, Likeness
from grader.similarity.hand_ins import Given, HandedIn, several
from grader.similarity.spellings import odd_spellings

RUN = 10  # words in a row; an end of a sentence counts as one
SPELLINGS = 3  # odd ones in common, where no words in a row are
_GIVEN = 4  # words in a row that the task has, too
_OWN = 7  # different words of a run that are in no such row
_HEADING = 3  # words; what has no more says nothing by itself
_SHOWN = 300  # characters
_WORD = re.compile(r"[^\W\d_]{2,}")
_END = "."

Pair = tuple[int, int]


@dataclass(frozen=True)
class _Text:
    """A report as words; `sentences[i]` and `pages[i]` are those that word `i` is of.

    `runs` are hashes of rows of words that are not the task's, by where they begin.
    """

    words: tuple[str, ...]
    sentences: tuple[str, ...]
    pages: tuple[int, ...]
    runs: dict[int, int]

    def stretches(self, common: set[int]) -> list[range]:
        """The words in common, as rows that do not touch."""
        found: list[range] = []
        for n, run in self.runs.items():
            if run in common:
                begin = found.pop().start if found and found[-1].stop >= n else n
                found.append(range(begin, n + RUN))
        return found

    def count(self, stretches: Sequence[range]) -> int:
        return sum(self.words[n] != _END for stretch in stretches for n in stretch)


def words_of(text: str) -> list[str]:
    """The words of a text without regard to case; no numbers, no single letters."""
    return [word.casefold() for word in _WORD.findall(text)]


def words_in_common(hand_ins: Sequence[HandedIn], given: Given) -> Iterator[InCommon]:
    """The pairs with words in a row in common, or with several odd spellings."""
    task = words_of(given.words)
    rows = {tuple(task[n : n + _GIVEN]) for n in range(len(task) - _GIVEN + 1)}
    texts = [_text(one.pages, rows) for one in hand_ins]
    runs: dict[Pair, set[int]] = defaultdict(set)
    for run, members in _holders(texts).items():
        for pair in combinations(members, 2):
            runs[pair].add(run)
    spellings = _spellings(hand_ins, texts, task)
    several_odd = {pair for pair, own in spellings.items() if len(own) >= SPELLINGS}
    for a, b in sorted(runs.keys() | several_odd):
        ids, of_both = (hand_ins[a].id, hand_ins[b].id), (texts[a], texts[b])
        yield _in_common(ids, of_both, runs.get((a, b), set()), spellings.get((a, b), []))


def _text(pages: Sequence[str], rows: set[tuple[str, ...]]) -> _Text:
    words, origin, numbers = [_END], [""], [1]
    for number, page in enumerate(pages, 1):
        for sentence in sentences(page):
            own = [*words_of(sentence), _END]
            if len(own) <= _HEADING + 1:
                continue
            words += own
            origin += [sentence] * len(own)
            numbers += [number] * len(own)
    return _Text(tuple(words), tuple(origin), tuple(numbers), _runs(words, rows))


def _runs(words: Sequence[str], rows: set[tuple[str, ...]]) -> dict[int, int]:
    own = list(words)
    for n in range(len(words) - _GIVEN + 1):
        if tuple(words[n : n + _GIVEN]) in rows:
            own[n : n + _GIVEN] = [_END] * _GIVEN
    return {
        n: hash(tuple(words[n : n + RUN]))
        for n in range(len(words) - RUN + 1)
        if len({*own[n : n + RUN]} - {_END}) >= _OWN
    }


def _holders(texts: Sequence[_Text]) -> dict[int, list[int]]:
    """Runs that two texts hold, and no more than may have them from one another."""
    holders: dict[int, list[int]] = {}
    for number, text in enumerate(texts):
        for run in set(text.runs.values()):
            holders.setdefault(run, []).append(number)
    return {run: own for run, own in holders.items() if 1 < len(own) <= several(len(texts))}


def _spellings(
    hand_ins: Sequence[HandedIn], texts: Sequence[_Text], task: Sequence[str]
) -> dict[Pair, list[str]]:
    code = {word for one in hand_ins for text in one.code.values() for word in words_of(text)}
    found: dict[Pair, list[str]] = defaultdict(list)
    for word, members in odd_spellings([set(t.words) for t in texts], code.union(task)).items():
        for pair in combinations(members, 2):
            found[pair].append(word)
    return found


def _in_common(
    ids: tuple[str, str],
    texts: tuple[_Text, _Text],
    common: set[int],
    spellings: Sequence[str],
) -> InCommon:
    first, second = texts
    rows = tuple(text.stretches(common) for text in texts)
    counts = first.count(rows[0]), second.count(rows[1])
    amounts = [f"{counts[0]} words"] if common else []
    amounts += [f"{len(spellings)} odd spellings"] if spellings else []
    told = [_shown(first, max(rows[0], key=len))] if common else []
    told += [f"odd spellings: {', '.join(spellings)}"] if spellings else []
    return InCommon(
        *ids,
        Likeness.WORDS,
        ", ".join(amounts),
        (counts[0] / len(first.words), counts[1] / len(second.words)),
        (_where(first, rows[0]), _where(second, rows[1])),
        "; ".join(told),
    )


def _shown(text: _Text, stretch: range) -> str:
    """The sentences that a stretch is of."""
    said = " ".join(dict.fromkeys(filter(None, (text.sentences[n] for n in stretch[1:-1]))))
    return f"“{said[:_SHOWN]}{'…' if len(said) > _SHOWN else ''}”"


def _where(text: _Text, stretches: Sequence[range]) -> str:
    pages = sorted({text.pages[n] for stretch in stretches for n in stretch[1:-1]})
    return f"report, page {', '.join(map(str, pages))}" if pages else ""
