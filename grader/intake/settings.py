"""What the instructor says about a class: `class.toml`, and the roster beside it.

assignment = "hw3"
deadline = 2026-04-30            # the whole day; or 2026-04-30T18:00:00+03:00
roster = "roster.csv"            # id,name

[overrides.s07]                  # a submission's id
name = "Õnne Žukova"
reason = "asked in the exam"     # for the report of the class
deadline = 2026-05-07
excused = "was ill"              # loses nothing by being late
files = { report = "docs/answers.pdf", model = "final/hw3.py:MyNet", t4 = "task4.py" }
arguments = { hidden = 64, n = "$depth" }   # for parameters of the constructor
points."t3.even" = { earned = 0.5, reason = "explained in person" }
"""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import attrs

from grader.errors import UsageError
from grader.intake.names import readable
from grader.intake.roster import Roster, read_roster
from grader.records import CriterionScore, State
from grader.toml_file import Mistake, TomlFile

FILE = "class.toml"
MODEL, REPORT = "model", "report"  # what a file of a hand-in can be, beside a task's answer


def _not_negative(_: object, _attribute: attrs.Attribute[float], value: float) -> None:
    if value < 0:
        raise ValueError(f"expected 0 or more, found {value:g}")


def _said(_: object, _attribute: attrs.Attribute[str], value: str) -> None:
    if not value.strip():
        raise ValueError("is empty; say it in a few words")


def _of_our_time(_: object, _attribute: attrs.Attribute[datetime], value: datetime) -> None:
    if not 2000 <= value.year < 2200:
        raise ValueError(f"expected a year such as 2026, found {value.year}")


_DEADLINE = attrs.validators.optional(_of_our_time)


@attrs.frozen
class Points:
    """Points given by hand, with the reason the student reads."""

    earned: float = attrs.field(validator=_not_negative)
    reason: str = attrs.field(validator=_said)


@attrs.frozen
class Override:
    """What is different for one submission. `points` is by criterion id.

    `excused` says why nothing is lost by being late. `files` are files of the hand-in by what
    they are: a task's id, `model`, `report`; a class may follow that of a script. `arguments` are
    values for parameters of the class, "$depth" and the like for what a check asks for. `reason`
    is what the report of the class says of all but points and excuse, which have their own.
    """

    name: str | None = None
    deadline: datetime | None = attrs.field(default=None, validator=_DEADLINE)
    excused: str | None = attrs.field(default=None, validator=attrs.validators.optional(_said))
    reason: str | None = attrs.field(default=None, validator=attrs.validators.optional(_said))
    files: dict[str, str] = attrs.field(factory=dict)
    arguments: dict[str, Any] = attrs.field(factory=dict)
    points: dict[str, Points] = attrs.field(factory=dict)


@attrs.frozen
class ClassSettings:
    """`class.toml`; every key may be left out. A deadline without a zone is local time."""

    assignment: str | None = None
    deadline: datetime | None = attrs.field(default=None, validator=_DEADLINE)
    roster: str | None = None
    overrides: dict[str, Override] = attrs.field(factory=dict)

    def deadline_of(self, submission: str) -> datetime | None:
        """The deadline of one submission, extended where an override says so."""
        override = self.overrides.get(submission)
        return (override and override.deadline) or self.deadline

    @property
    def excused(self) -> dict[str, str]:
        """The reasons of those who lose nothing by being late, by submission."""
        return {key: o.excused for key, o in self.overrides.items() if o.excused is not None}


def named_ids(folder: Path) -> set[str]:
    """The submissions that class.toml and its roster name, as far as they can be read.

    What is wrong with either is told by `read_settings`.
    """
    path = folder / FILE
    try:
        file = TomlFile.read(path)
    except UsageError:
        return set()
    overrides = set(map(readable, tables(file.data.get("overrides"))))
    return overrides | _roster(file)[0].names.keys()


def read_settings(folder: Path, ids: Collection[str]) -> tuple[ClassSettings, Roster]:
    """`class.toml` of a class folder and its roster; both are optional.

    `ids` are the submissions that overrides may name, beside those of the roster. Raises
    UsageError with one line for every mistake in either file.
    """
    path = folder / FILE
    if not (path.is_symlink() or path.exists()):  # a link may be too long to be followed
        return ClassSettings(), Roster()
    file = TomlFile.read(path)
    settings, mistakes = file.structure(ClassSettings)
    roster, faults = _roster(file)
    mistakes += faults
    mistakes += _unknown_submissions(file, {*ids, *roster.names})
    file.refuse(_with_quotes_asked(file, mistakes))
    assert settings is not None
    overrides = {readable(key): override for key, override in settings.overrides.items()}
    return attrs.evolve(settings, overrides=overrides), roster


def with_overrides(
    criteria: Sequence[CriterionScore], submission: str, settings: ClassSettings
) -> list[CriterionScore]:
    """The criteria of one submission with the points given by hand; those are final."""
    override = settings.overrides.get(submission, Override())
    return [
        replace(
            c.decided(given.earned, given.reason),
            override=True,
            instead_of=c.earned if c.state is State.FINAL else None,
        )
        if (given := override.points.get(c.id))
        else c
        for c in criteria
    ]


# ------------------------------------------------------------------ mistakes


def _roster(file: TomlFile) -> tuple[Roster, list[Mistake]]:
    name = file.data.get("roster")
    if not isinstance(name, str):
        return Roster(), []
    path = file.path.parent / name
    if not os.path.isfile(path):  # noqa: PTH113 - never raises, as for a name that is too long
        text = f"there is no file {name!r} beside {FILE}"
        return Roster(), [file.mistake(("roster",), text)]
    try:
        return read_roster(path), []
    except UsageError as error:
        lines = str(error).splitlines()
        return Roster(), [file.mistake(("roster",), line) for line in lines]


def _unknown_submissions(file: TomlFile, ids: Collection[str]) -> list[Mistake]:
    return [
        file.mistake(("overrides", key), unknown("submission", key, ids))
        for key in tables(file.data.get("overrides"))
        if readable(key) not in ids
    ]


def _with_quotes_asked(file: TomlFile, mistakes: list[Mistake]) -> list[Mistake]:
    """`points.t3.even = ...` is a table t3 with a table even in it: a trap of TOML's dots.

    One line says so, in the place of several that would not help.
    """
    for key, override in tables(file.data.get("overrides")).items():
        for outer, value in tables(tables(override).get("points")).items():
            inner = next((name for name, given in tables(value).items() if tables(given)), None)
            if inner is not None:
                text = f'write points."{outer}.{inner}", in quotes'
                better = file.mistake(("overrides", key, "points", outer), text)
                place = better.text.removesuffix(f": {text}")
                mistakes = [
                    m for m in mistakes if not m.text.startswith((f"{place}:", f"{place}."))
                ]
                mistakes.append(better)
    return mistakes


def tables(value: Any) -> dict[str, Any]:
    """What is in a table of a TOML file; nothing where it is none."""
    return value if isinstance(value, dict) else {}


def unknown(what: str, name: str, known: Collection[str]) -> str:
    """`there is no submission 'anna'; did you mean 'ann'?`"""
    close = get_close_matches(name, known, n=1)
    return f"there is no {what} {name!r}" + (f"; did you mean {close[0]!r}?" if close else "")
