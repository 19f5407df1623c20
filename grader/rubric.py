"""A rubric: tasks, criteria and points of one assignment, and the rules for partial credit.

`rubrics/<assignment>/rubric.toml` is the source; all mistakes in it are reported at once.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

import attrs

from grader.assignment import Assignment
from grader.records import Kind
from grader.toml_file import Mistake, TomlFile

_UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86400}
_READ = [kind for kind in Kind if kind is not Kind.CODE]  # what people read in the report


def _fraction(_: object, attribute: attrs.Attribute[float], value: float) -> None:
    if not 0 < value < 1:
        raise ValueError(f"{attribute.name}: expected a share between 0 and 1, found {value:g}")


def _positive(_: object, attribute: attrs.Attribute[float], value: float) -> None:
    if value <= 0:
        raise ValueError(f"{attribute.name}: expected more than 0, found {value:g}")


@attrs.frozen
class Partial:
    """Credit for a criterion of which not every case holds.

    `credit` is the share of the points. It is earned where at least `passed` cases hold, or
    where all the named `cases` do.
    """

    credit: float = attrs.field(validator=_fraction)
    passed: int | None = None
    cases: list[str] | None = None

    def __attrs_post_init__(self) -> None:
        if (self.passed is None) == (self.cases is None):
            raise ValueError("partial: expected either 'passed' or 'cases'")

    def earned(self, holding: set[str]) -> bool:
        """Whether the cases that hold are enough."""
        if self.cases is not None:
            return set(self.cases) <= holding
        return len(holding) >= (self.passed or 0)


def _phrases(_: object, attribute: attrs.Attribute[list[str]], value: list[str]) -> None:
    if not value:
        raise ValueError(f"{attribute.name}: expected at least one phrase")


@attrs.frozen
class Cue:
    """One thing that a written answer must say, for a suggestion to whoever reads it.

    `case` names it, `asks` is the question that it answers, and `hint` what to think
    about: words for students, who are not told the answer. It is said where one of the phrases
    `any` stands in the answer and is not denied, and none of `never` is (`checking.phrases`).
    Where all cues of a criterion are `decisive` and said, its full points need nobody's word.
    """

    case: str
    asks: str
    any: list[str] = attrs.field(validator=_phrases)
    never: list[str] = attrs.field(factory=list)
    hint: str | None = None
    decisive: bool = False


@attrs.frozen
class Criterion:
    """The smallest thing that earns points.

    `where` are the headings, outer to inner, under which the report answers it; `question` is
    what the assignment asks, for the person who reads the answer. `asked` is the question in
    the assignment's own words, and in others it is put in: students repeat it instead of a
    heading.
    """

    id: str
    task: str
    title: str
    points: float = attrs.field(validator=_positive)
    kind: Kind
    question: str = ""
    where: list[str] = attrs.field(factory=list)
    asked: list[str] = attrs.field(factory=list)
    partial: list[Partial] = attrs.field(factory=list)
    cue: list[Cue] = attrs.field(factory=list)


@attrs.frozen
class Task:
    """A group of criteria. `also` are other wordings of the title, in any language."""

    id: str
    title: str
    also: list[str] = attrs.field(factory=list)


@attrs.frozen
class Model:
    """How students call the model class and its parameters: the assignment's own words."""

    class_name: str
    width: list[str]
    depth: list[str]
    gpus: list[str]
    devices: list[str]

    @property
    def roles(self) -> list[str]:
        """What a parameter can be: `width`, `depth` and so on."""
        return [f.name for f in attrs.fields(Model) if f.name != "class_name"]


@attrs.frozen
class Script:
    """A program that checks run whole, and how to find it among the files of a hand-in.

    `names` are how students call the file, the surest first. `says` are names that stand in it,
    `never` those that do not; `others` are names of files that are something else. `words` are its
    constants, by what they are for: `batch = ["BATCH_SIZE", "bs"]`; files that differ in nothing
    else are the same script. One that is `optional` is called by one of its names, or was not
    handed in.
    """

    id: str
    names: list[str]
    says: list[str] = attrs.field(factory=list)
    never: list[str] = attrs.field(factory=list)
    others: list[str] = attrs.field(factory=list)
    words: dict[str, list[str]] = attrs.field(factory=dict)
    optional: bool = False


@attrs.frozen
class Limits:
    """Bounds of the probes, in seconds of processor time (wall time where that is unknown)."""

    build: float = attrs.field(default=20.0, validator=_positive)
    forward: float = attrs.field(default=5.0, validator=_positive)
    train: float = attrs.field(default=10.0, validator=_positive)
    script: float = attrs.field(default=15.0, validator=_positive)
    ranks: float = attrs.field(default=30.0, validator=_positive)  # a program's processes together
    lost: float = attrs.field(default=15.0, validator=_positive)  # in all, to time-outs


def _share(_: object, attribute: attrs.Attribute[float], value: float) -> None:
    if not 0 < value <= 1:
        raise ValueError(f"{attribute.name}: expected a share up to 1, found {value:g}")


def _seconds(text: str) -> int:
    found = re.fullmatch(r"([0-9]{1,4}) ?(s|min|h|d)", text.strip())
    return int(found[1]) * _UNITS[found[2]] if found else -1


def _span(_: object, attribute: attrs.Attribute[str], value: str) -> None:
    if _seconds(value) < 0:
        raise ValueError(f"{attribute.name}: expected a time such as '15 min', found {value!r}")


@attrs.frozen
class Late:
    """What is lost by handing in late: a share of the points earned, for each day begun.

    Nothing is lost within `grace` (30 s, 15 min, 2 h, 1 d); days are counted from its end.
    """

    per_day: float = attrs.field(validator=_share)
    at_most: float = attrs.field(default=1.0, validator=_share)
    grace: str = attrs.field(default="0 s", validator=_span)

    def share(self, seconds: int) -> float:
        """The share of the points earned that is lost, from 0 to 1."""
        days = math.ceil((seconds - _seconds(self.grace)) / _UNITS["d"])
        return min(self.at_most, round(self.per_day * max(0, days), 6))


@attrs.frozen
class Rubric:
    """All of `rubric.toml`. `points`, where it is given, is what the criteria must add up to."""

    title: str
    task: list[Task]
    criterion: list[Criterion]
    points: float | None = None
    model: Model | None = None
    script: list[Script] = attrs.field(factory=list)
    limits: Limits = attrs.field(factory=Limits)
    late: Late | None = None

    @property
    def tasks(self) -> list[Task]:
        return self.task

    @property
    def criteria(self) -> list[Criterion]:
        return self.criterion

    @property
    def possible(self) -> float:
        """The points of all criteria together."""
        return round(sum(c.points for c in self.criteria), 6)


def load_rubric(assignment: Assignment) -> Rubric:
    """Read and check a rubric; UsageError lists every mistake in it, with its line."""
    file = TomlFile.read(assignment.rubric)
    rubric, mistakes = file.structure(Rubric)
    file.refuse([*mistakes, *_between_tables(file)])
    assert rubric is not None
    return rubric


# ------------------------------------------------------------------ mistakes between tables


def _between_tables(file: TomlFile) -> Iterator[Mistake]:
    """What is wrong between tables; tables that are wrong by themselves are passed over."""
    yield from _repeated(file, "task", "tasks")
    yield from _repeated(file, "criterion", "criteria")
    yield from _repeated(file, "script", "scripts")
    tasks = [table.get("id") for _, table in _tables(file, "task")]
    for n, table in _tables(file, "criterion"):
        if "task" in table and table["task"] not in tasks:
            said = f"names task {table['task']!r}, which is not a [[task]]"
            yield file.mistake(("criterion", n, "task"), said)
        if table.get("kind") == Kind.CODE and "cue" in table:
            said = "cues are for answers; a check decides what is kind 'code'"
            yield file.mistake(("criterion", n, "cue"), said)
        if table.get("kind") in _READ and not table.get("where"):
            said = "'where' is missing: the headings, outer to inner, that the report has for it"
            yield file.mistake(("criterion", n), said)
    yield from _wrong_total(file)


def _wrong_total(file: TomlFile) -> Iterator[Mistake]:
    points = [table.get("points") for _, table in _tables(file, "criterion")]
    total = float(sum(one for one in points if isinstance(one, int | float)))
    said = file.data.get("points")
    if isinstance(said, int | float) and not math.isclose(said, total):
        yield file.mistake(
            ("points",), f"expected what the criteria add up to, {total:g}, found {said:g}"
        )


def _repeated(file: TomlFile, kind: str, several: str) -> Iterator[Mistake]:
    seen = set()
    for n, table in _tables(file, kind):
        id_ = str(table.get("id", n))
        if id_ in seen:
            yield file.mistake((kind, n, "id"), f"two {several} have the id {id_!r}")
        seen.add(id_)


def _tables(file: TomlFile, kind: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """The tables [[kind]] with their places, as far as they are that."""
    found = file.data.get(kind)
    for n, table in enumerate(found if isinstance(found, list) else []):
        if isinstance(table, dict):
            yield n, table
