"""An answer of the report, as checks see it: text, where it stands, and what it says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from grader.checking import phrases
from grader.checking.phrases import Found


@dataclass(frozen=True)
class Answer:
    """What the report says for one criterion.

    `exact` is False where its own heading is missing and `text` is all of its task; `tables` are
    those in it, as `grader.intake` reads them.
    """

    text: str
    page: int | None = None
    exact: bool = True
    tables: Sequence[Any] = ()

    def says(self, *wanted: str) -> Found | None:
        """The first place where one of the phrases is said and not denied."""
        return phrases.says(self.text, wanted)

    def finds(self, *wanted: str) -> list[Found]:
        """Every place where one of the phrases stands, denied or not."""
        return list(phrases.find(self.text, wanted))

    def quoted(self, found: Found) -> str:
        """A sentence of it, with its page, for evidence."""
        return quotation(found.sentence, self.page)

    @property
    def words(self) -> int:
        return sum(len(phrases.plain(s).split()) for s in phrases.sentences(self.text))


def quotation(text: str, page: int | None, most: int = 160) -> str:
    """One line of the report, in quotes."""
    line = " ".join(text.split())
    shown = line if len(line) <= most else f"{line[: most - 1].rstrip()}…"
    return f"“{shown}”" + (f" (page {page})" if page else "")
