"""Hand-ins beside a rubric: wrong ones, of which each makes one mistake and says what that costs,
and right ones.

`wrong/<mistake>/loses.toml`:

why = "final_output is the last chunk's output only"
code = "own"                # or "reference": its code is that, and only the report is wrong
pending = ["p2.chunks"]     # for a person to decide

[earned]
"p2.whole" = 0.0            # all else of the code earns its full points
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import attrs

from grader.assignment import Assignment
from grader.errors import UsageError
from grader.records import Kind
from grader.rubric import Rubric
from grader.toml_file import Mistake, TomlFile

FILE = "loses.toml"


class Code(StrEnum):
    OWN = "own"
    REFERENCE = "reference"


@attrs.frozen
class _Says:
    """`loses.toml` as it stands."""

    why: str
    earned: dict[str, float] = attrs.field(factory=dict)
    pending: list[str] = attrs.field(factory=list)
    code: Code = Code.OWN


@dataclass(frozen=True)
class Wrong:
    """A wrong hand-in, and the points that it must get by criterion; None: a person decides.

    All criteria of code are there; of the report those that its file names.
    """

    name: str
    folder: Path
    why: str
    points: Mapping[str, float | None]
    loses: frozenset[str]  # the criteria of which it does not get all points
    code: Code = Code.OWN


def wrong_hand_ins(assignment: Assignment, rubric: Rubric) -> list[Wrong]:
    """All of them, by name. UsageError names every mistake in their files."""
    found: list[Wrong] = []
    mistakes: list[str] = []
    for folder in _folders(assignment.wrong):
        try:
            found.append(_read(folder, rubric))
        except UsageError as error:
            mistakes += [f"wrong/{folder.name}/{line}" for line in str(error).splitlines()]
    if mistakes:
        raise UsageError("\n".join(mistakes))
    return found


def right_hand_ins(assignment: Assignment) -> dict[str, Path]:
    """Folders of hand-ins that earn all points, by name."""
    return {folder.name: folder for folder in _folders(assignment.right)}


def proofs(criterion: str, wrong: Iterable[Wrong]) -> list[Wrong]:
    """Those that lose points of a criterion, the ones that lose little else first."""
    losing = [one for one in wrong if criterion in one.loses]
    return sorted(losing, key=lambda one: (len(one.loses), one.name))


def _folders(folder: Path) -> list[Path]:
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    return [path for path in found if path.is_dir() and not path.name.startswith(("_", "."))]


def _read(folder: Path, rubric: Rubric) -> Wrong:
    path = folder / FILE
    if not path.is_file():
        raise UsageError(f"{FILE} is missing", expected="what it loses, and why", do=_EXAMPLE)
    file = TomlFile.read(path)
    says, mistakes = file.structure(_Says)
    file.refuse(mistakes)
    assert says is not None
    file.refuse(_misfits(file, says, rubric))
    full = {c.id: c.points for c in rubric.criteria}
    code = {c.id: c.points for c in rubric.criteria if c.kind is Kind.CODE}
    points = {**code, **says.earned, **dict.fromkeys(says.pending)}
    loses = frozenset(id_ for id_, earned in points.items() if earned != full[id_])
    return Wrong(folder.name, folder, says.why, points, loses, says.code)


_EXAMPLE = 'write  why = "..."  and under  [earned]  lines such as  "t1.a" = 0.0'


def _misfits(file: TomlFile, says: _Says, rubric: Rubric) -> Iterator[Mistake]:
    points = {c.id: c.points for c in rubric.criteria}
    named: list[tuple[tuple[str | int, ...], str]] = [(("earned", id_), id_) for id_ in says.earned]
    named += [(("pending", n), id_) for n, id_ in enumerate(says.pending)]
    for where, id_ in named:
        if id_ not in points:
            yield file.mistake(where, f"{id_!r} is no criterion of rubric.toml")
    for id_, earned in says.earned.items():
        if not 0 <= earned <= points.get(id_, earned):
            text = f"expected 0 to {points.get(id_, 0):g} points, found {earned:g}"
            yield file.mistake(("earned", id_), text)
    if not says.pending and all(earned == points.get(id_) for id_, earned in says.earned.items()):
        yield file.mistake((), f"it loses nothing; {_EXAMPLE}")
