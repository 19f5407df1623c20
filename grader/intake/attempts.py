"""Several attempts of one student, as their names tell: the latest counts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import NamedTuple

from grader.intake.junk import why_junk
from grader.intake.names import readable

#: `s01 (2)`, `s01_v2`, `s01 attempt 2`. Whoever writes these means an attempt.
_SURE = re.compile(
    r"(.+?)(?: ?\(([0-9]{1,2})\)|[ _-]v([0-9]{1,2})|[ _-]+attempt[ _-]?([0-9]{1,2}))",
    re.IGNORECASE | re.DOTALL,
)
#: `s01-2` may be another student, or a member of a group.
_UNSURE = re.compile(r"(.+)-([1-9])", re.DOTALL)
_LATEST = "is the latest of"
_FOLDER = re.compile(r"attempt[ _-]?([0-9]{1,2})", re.IGNORECASE)


class Named(NamedTuple):
    """A name read as that of an attempt; a plain name is number 0 of itself."""

    base: str
    number: int = 0
    sure: bool = True


def read_name(name: str) -> Named:
    """`s01 (2)` is the second attempt of `s01`, `s01-2` may be."""
    if found := _SURE.fullmatch(name):
        return Named(found[1], int(found[found.lastindex or 2]))
    if found := _UNSURE.fullmatch(name):
        return Named(found[1], int(found[2]), sure=False)
    return Named(name)


def group(ids: Collection[str], known: Collection[str]) -> dict[str, str]:
    """For each id of a class the id of the student whose attempt it is: mostly itself.

    `known` are ids that a roster or class.toml names: those are students. `s01-2` is an attempt
    only beside an `s01`, and only where no id of this form stands for itself in the class.
    """
    read = {id_: read_name(id_) for id_ in ids}
    alone = any(not n.sure and n.base not in read for id_, n in read.items() if id_ not in known)
    several = Counter(named.base for named in read.values() if named.sure)
    found = {}
    for id_, named in read.items():
        beside = named.base in read or named.base in known
        is_attempt = beside or several[named.base] > 1 if named.sure else beside and not alone
        found[id_] = named.base if is_attempt and id_ not in known else id_
    return found


def latest_inside(folder: Path) -> tuple[Path, tuple[str, ...]]:
    """The last of `attempt 1`, `attempt 2`, and the others' names, where nothing else is there."""
    try:
        children = [child for child in folder.iterdir() if why_junk(child.name) is None]
        numbers = {
            int(found[1]): child
            for child in children
            if (found := _FOLDER.fullmatch(child.name)) and child.is_dir()
        }
    except OSError:
        return folder, ()  # it is told when it is opened
    if len(children) < 2 or len(numbers) < len(children):
        return folder, ()
    *others, last = (numbers[number] for number in sorted(numbers))
    return last, tuple(readable(child.name) for child in others)


def told(chosen: str, others: Iterable[str]) -> tuple[str, list[str]]:
    """A note for the student's entry, and a line for each attempt that is passed over."""
    others = list(others)
    note = f"{chosen} {_LATEST} {len(others) + 1} attempts; not looked at: "
    return note + ", ".join(others), [f"{o}: an earlier attempt; {chosen} counts" for o in others]


def told_in(notes: Iterable[str]) -> str | None:
    """The note of `told` among the notes of an entry."""
    return next((note for note in notes if _LATEST in note), None)
