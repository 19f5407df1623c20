"""What is compared, and what of it most of a class shares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

LONGEST_REPORT = 40_000  # characters that are compared

#: Below it nobody can say what most of a class has.
_CLASS = 10


@dataclass(frozen=True)
class HandedIn:
    """The texts of one hand-in.

    `code` are files by name, `pages` those of the report, `tables` the passages in which criteria
    look for a table, by criterion.
    """

    id: str
    code: Mapping[str, str] = field(default_factory=dict)
    pages: tuple[str, ...] = ()
    tables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Given:
    """What every student was given: code, and the words of the task."""

    code: tuple[str, ...] = ()
    words: str = ""


def most(size: int) -> int:
    """What more than so many of a class of `size` have, they were given: half of them."""
    return size // 2 if size >= _CLASS else size


def several(size: int) -> int:
    """What more than so many write needs no copying: a tenth of a class, but 3 to 10."""
    return max(3, min(size // 10, 10))
