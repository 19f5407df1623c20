"""What can go wrong, in words that say what to do next.

Two families, because they have different owners (and different exit codes):
`UsageError` is for the person who typed the command or wrote the file,
`InternalError` is ours and must never cost a student a point.
"""

from __future__ import annotations


class GraderError(Exception):
    """Base of every error this package raises on purpose.

    `thing` names what is wrong, `expected` and `found` are the two sides of the
    disagreement, `do` is the next step for the reader. Only `thing` is required.
    """

    def __init__(
        self,
        thing: str,
        *,
        expected: str | None = None,
        found: str | None = None,
        do: str | None = None,
    ) -> None:
        self.thing = thing
        self.expected = expected
        self.found = found
        self.do = do
        super().__init__(str(self))

    def __str__(self) -> str:
        parts = [self.thing]
        if self.expected is not None:
            parts.append(f"expected {self.expected}")
        if self.found is not None:
            parts.append(f"found {self.found}")
        if self.do is not None:
            parts.append(self.do)
        return "; ".join(parts)


class UsageError(GraderError):
    """The command line, `class.toml`, a rubric or a review file does not fit. Exit code 2."""


class SubmissionError(GraderError):
    """A hand-in that cannot be read as it is: corrupt archive, no Python, not UTF-8.

    It becomes part of that student's score and report; the rest of the class is graded.
    """


class InternalError(GraderError):
    """Something of ours failed. No points are lost; a person is called. Exit code 1."""


def shortened(text: str, longest: int) -> str:
    """The text; of one that is too long for a sentence, its beginning and its end."""
    end = longest // 3
    return text if len(text) <= longest else f"{text[: longest - end - 1]}…{text[-end:]}"
