"""How a check says what it expects; failure is data, not text.

expect(max(n) - min(n) <= 1, expected="counts within 1", seen=f"{n}", where=..., hint="...")
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Expectation:
    """One statement of a check: what was expected, what was seen and where, what to try."""

    holds: bool
    expected: str
    seen: str
    hint: str | None = None
    where: str | None = None


class Unmet(AssertionError):
    """An expectation does not hold. The student's text is in `expectation`."""

    def __init__(self, expectation: Expectation) -> None:
        super().__init__(f"expected {expectation.expected}; seen: {expectation.seen}")
        self.expectation = expectation


class NeedsPerson(Exception):
    """The machine cannot decide this criterion; the message says what a person must look at.

    `operator` is a traceback or other details, for the instructor; `where` and `hint` are for the
    student, as those of an expectation.
    """

    def __init__(
        self,
        message: str,
        *,
        operator: str = "",
        where: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.operator = operator
        self.where = where
        self.hint = hint


class NotHandedIn(NeedsPerson):
    """A script that need not be handed in was not."""


@dataclass
class Notebook:
    """Expectations of the check that is running, kept as its evidence."""

    entries: list[Expectation] = field(default_factory=list)


notebook = Notebook()


def expect(
    holds: bool,
    *,
    expected: object,
    seen: object,
    where: str | None = None,
    hint: str | None = None,
) -> None:
    """State an expectation; raises `Unmet` where it does not hold. Texts are for students.

    `where` is a line of their code, or a sentence of their report.
    """
    told = (None, None) if holds else (hint, where)
    entry = Expectation(bool(holds), str(expected), str(seen), *told)
    notebook.entries.append(entry)
    if not entry.holds:
        raise Unmet(entry)
