"""An answer of the report, as checks see it: text, where it stands, and what it says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from grader.checking import phrases
from grader.checking.phrases import Found

_ENOUGH = 8  # words, to know a sentence by
_SENTENCE = 6  # words; a heading has fewer


@dataclass(frozen=True)
class Answer:
    """What the report says for one criterion.

    `exact` is False where its own heading is missing and `text` is all of its task; `tables` are
    those in it, as `grader.intake` reads them. `pages` are those of its lines, where it has pages.
    """

    text: str
    exact: bool = True
    tables: Sequence[Any] = ()
    pages: Sequence[int] = ()

    def says(self, *wanted: str) -> Found | None:
        """The first place where one of the phrases is said and not denied."""
        return phrases.says(self.text, wanted)

    def finds(self, *wanted: str) -> list[Found]:
        """Every place where one of the phrases stands, denied or not."""
        return list(phrases.find(self.text, wanted))

    def quoted(self, found: Found | str) -> str:
        """A sentence of it, with its page, for evidence."""
        sentence = found if isinstance(found, str) else found.sentence
        return self._quotation(sentence, self._line_of(sentence))

    @property
    def begins(self) -> str:
        """Its first sentence that is no heading and no question, with its page: where to look."""
        said = (s for s in phrases.sentences(self.text) if not s.endswith("?"))
        full = (s for s in said if len(s.split()) >= _SENTENCE)
        return f"the answer that begins {self.quoted(next(full, self._lines[0]))}"

    def row(self, table: Any, *cells: str) -> str:
        """The row of a table in it that holds these texts, with its page; else the first one."""
        rows = range(table.line, len(self._lines))
        line = next((n for n in rows if all(c in self._lines[n] for c in cells)), table.line)
        return f"the table, {self._quotation(self._lines[line], line)}"

    def _quotation(self, text: str, line: int, most: int = 160) -> str:
        """A text that begins in one of its lines, in quotes and with its page."""
        shown = " ".join(text.split())
        shown = shown if len(shown) <= most else f"{shown[: most - 1].rstrip()}…"
        return f"“{shown}”" + (f" (page {self.pages[line]})" if self.pages else "")

    @property
    def words(self) -> int:
        return sum(len(phrases.plain(s).split()) for s in phrases.sentences(self.text))

    @property
    def _lines(self) -> list[str]:
        return self.text.split("\n")

    def _line_of(self, sentence: str) -> int:
        """The line in which a sentence begins, whose lines may wrap; the first if unknown."""
        words = [(word, n) for n, line in enumerate(self._lines) for word in line.split()]
        wanted = sentence.split()[:_ENOUGH]
        wanted = wanted[:-1] or wanted  # closing quotes are no part of a sentence's last word
        every = [word for word, _ in words]
        ends = range(len(words) - len(wanted) + 1) if wanted else ()
        return next((words[n][1] for n in ends if every[n : n + len(wanted)] == wanted), 0)
