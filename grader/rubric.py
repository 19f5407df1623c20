"""A rubric: tasks, criteria and points of one assignment, and the rules for partial credit.

`rubrics/<assignment>/rubric.toml` is the source; all mistakes in it are reported at once.
This module also knows where assignments live, for an installed package and for a checkout.
"""

from __future__ import annotations

import math
import re
from pathlib import Path

import attrs

from grader.errors import UsageError
from grader.records import Kind
from grader.toml_file import load_toml

_UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86400}


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
class Limits:
    """Bounds of the probes, in seconds of processor time (wall time where that is unknown)."""

    build: float = attrs.field(default=30.0, validator=_positive)
    forward: float = attrs.field(default=10.0, validator=_positive)
    train: float = attrs.field(default=20.0, validator=_positive)
    script: float = attrs.field(default=15.0, validator=_positive)
    lost: float = attrs.field(default=30.0, validator=_positive)  # in all, to time-outs


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
    title: str
    task: list[Task]
    criterion: list[Criterion]
    model: Model
    limits: Limits = attrs.field(factory=Limits)
    late: Late | None = None

    @property
    def tasks(self) -> list[Task]:
        return self.task

    @property
    def criteria(self) -> list[Criterion]:
        return self.criterion


@attrs.frozen
class AssignmentFile:
    """`assignment.toml` in a student's folder: which assignment it is."""

    assignment: str


def home() -> Path:
    """The folder that holds `rubrics/`, `reference/` and `student_template/`.

    In an installed package they lie beside the modules; in a checkout at its top.
    """
    package = Path(__file__).parent
    installed = package / "assignments"
    return installed if installed.is_dir() else package.parent


def assignments() -> list[str]:
    """The names of all assignments, sorted."""
    return sorted(path.parent.name for path in (home() / "rubrics").glob("*/rubric.toml"))


def assignment_folder(assignment: str, part: str = "rubrics") -> Path:
    """One folder of an assignment; UsageError, with the names that exist, where there is none."""
    folder = home() / part / assignment
    if assignment not in assignments() or not folder.is_dir():
        raise UsageError(
            f"there is no assignment {assignment!r}",
            expected=" or ".join(assignments()) or "at least one folder in rubrics/",
            do="name one with --assignment, or in class.toml",
        )
    return folder


def load_rubric(assignment: str) -> Rubric:
    """Read and check a rubric; UsageError lists every mistake in it."""
    path = assignment_folder(assignment) / "rubric.toml"
    rubric = load_toml(path, Rubric)
    mistakes = [
        f"{path.name}: criterion {c.id!r} names task {c.task!r}, which is not a [[task]]"
        for c in rubric.criteria
        if c.task not in {t.id for t in rubric.tasks}
    ]
    ids = [c.id for c in rubric.criteria]
    mistakes += [f"{path.name}: two criteria have the id {i!r}" for i in sorted(_repeated(ids))]
    if mistakes:
        raise UsageError("\n".join(mistakes))
    return rubric


def _repeated(values: list[str]) -> set[str]:
    return {v for v in values if values.count(v) > 1}
