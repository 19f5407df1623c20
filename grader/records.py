"""The plain values that travel through the grader, and how they are kept on disk.

Standard library only. `Score.to_json` is the contract with everything downstream
(`score.json`, schema 1); new keys may be added within a schema, none may change meaning.
"""

from __future__ import annotations

import math
import sys
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

SCHEMA = 1

#: In class.toml "$depth" stands for the depth that a check asks for; so with other roles.
ROLE = "$"

Json = dict[str, Any]


class Outcome(StrEnum):
    """What the checks of one criterion say."""

    PASSED = "passed"
    PARTIAL = "partial"
    FAILED = "failed"
    BLOCKED = "blocked"  # something before it failed, so it was never reached
    ERROR = "error"  # our fault: no points are lost, a person is called


class State(StrEnum):
    """Who has the last word on the points of one criterion."""

    FINAL = "final"
    PROVISIONAL = "provisional"  # a suggestion, to be confirmed by a person
    PENDING = "pending"  # a person must look; no points are given or taken yet


class Kind(StrEnum):
    """The kind of evidence a criterion rests on."""

    CODE = "code"
    WRITTEN = "written"
    TABLE = "table"
    ANSWER = "answer"


@dataclass(frozen=True)
class Student:
    id: str
    name: str | None = None

    @property
    def label(self) -> str:
        """The name where there is one, else the id."""
        return self.name or self.id


@dataclass(frozen=True)
class Submission:
    """What one student handed in.

    `source` is the folder or archive as found; `folder` holds the files, unpacked where
    necessary, and is only read, never written. `problem` says in one line why the hand-in
    cannot be read at all (then `folder` may be empty); `notes` are smaller things worth
    telling the instructor. `files` are what an instructor said to be the file for a task (by its
    id), the `model` or the `report`, relative to `folder`; `classes` the class in it that is meant,
    `arguments` what its constructor is given.
    """

    id: str
    student: Student
    source: Path
    folder: Path
    code: tuple[Path, ...] = ()  # Python files, relative to `folder`; the named model first
    reports: tuple[Path, ...] = ()  # report files, relative to `folder`, best candidate first
    files: dict[str, Path] = field(default_factory=dict)
    classes: dict[str, str] = field(default_factory=dict)
    arguments: Json = field(default_factory=dict)
    problem: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)  # a class of a thousand has many
class CriterionScore:
    """The points of one criterion and the reason for them.

    `earned` is None exactly while `state` is pending. `evidence` says what was asked and what was
    found, `where` at which line of the code or sentence of the report, `hint` what to try: all
    three are read by the student. `operator` holds tracebacks and other text for the instructor.
    `found` is what the report says for this criterion, word for word.
    """

    id: str
    points: float
    earned: float | None
    state: State
    outcome: Outcome | None
    evidence: str
    hint: str | None = None
    task: str = ""
    title: str = ""
    kind: Kind = Kind.CODE
    found: str | None = None
    question: str | None = None  # what was asked, and what to look for: for whoever reviews
    comment: str | None = None  # a person's words, from `grade confirm`; "" where there are none
    override: bool = False  # points and comment are those of class.toml
    instead_of: float | None = None  # final points that an override took the place of, if any were
    earlier: str | None = None  # what a person decided when this was different: for whoever reviews
    operator: str | None = None
    where: str | None = None

    def __post_init__(self) -> None:
        if (self.earned is None) != (self.state is State.PENDING):
            raise ValueError(f"{self.id}: earned must be null exactly while pending")

    def decided(self, earned: float, comment: str | None) -> CriterionScore:
        """The same criterion after a person gave it `earned` points."""
        outcome = (
            Outcome.PASSED
            if earned >= self.points
            else Outcome.PARTIAL
            if earned > 0
            else Outcome.FAILED
        )
        return replace(
            self,
            earned=earned,
            state=State.FINAL,
            outcome=outcome,
            comment=comment,
            override=False,
            instead_of=None,
            earlier=None,
        )


@dataclass(frozen=True)
class TaskTitle:
    """One task of the assignment, in the rubric's order."""

    id: str
    title: str


@dataclass(frozen=True)
class Score:
    """One submission's result. Points are sums over `criteria`; only final ones count.

    `ignored` are lines on what was passed over in the hand-in.
    `late` says how late it was handed in. `late_share` is the share of the points earned that is
    lost by that, and `excused` why nothing is.
    `pages` are pictures of pages of the report that a person must see, files beside this one.
    `made_from` are hashes of all that it follows from, by what they are of; `protections` says
    what confined the student's code.
    """

    submission: str
    student: Student
    assignment: str
    grader: str
    devices: str  # "virtual" or "cuda"
    graded_at: str  # ISO 8601, UTC
    criteria: tuple[CriterionScore, ...]
    title: str = ""  # of the assignment
    seed: str | None = None  # of all that was drawn at random
    tasks: tuple[TaskTitle, ...] = ()
    observations: tuple[Json, ...] = ()
    late: str | None = None
    late_share: float = 0.0
    excused: str | None = None
    problem: str | None = None
    notes: tuple[str, ...] = ()
    suspicions: tuple[str, ...] = ()  # for the instructor only; never a verdict
    pages: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    made_from: dict[str, str] = field(default_factory=dict)
    protections: Json = field(default_factory=dict)

    @property
    def earned(self) -> float:
        """Points that are final, before any are lost by being late."""
        return sum(c.earned or 0.0 for c in self.criteria if c.state is State.FINAL)

    @property
    def late_points(self) -> float:
        """Points lost by being late, in hundredths; what is left over is the student's."""
        return math.floor(self.late_share * self.earned * 100 + 1e-6) / 100

    @property
    def total(self) -> float:
        """Points that are final, less those lost by being late."""
        return round(self.earned - self.late_points, 6)

    @property
    def possible(self) -> float:
        return sum(c.points for c in self.criteria)

    @property
    def suggested(self) -> float:
        """Points that are suggested, among those that wait for a person."""
        return sum(c.earned or 0.0 for c in self.criteria if c.state is State.PROVISIONAL)

    @property
    def pending(self) -> float:
        """Points that still wait for a person."""
        return sum(c.points for c in self.criteria if c.state is not State.FINAL)

    def to_json(self) -> Json:
        head = {
            "schema": SCHEMA,
            "submission": self.submission,
            "student": asdict(self.student),
            "assignment": self.assignment,
            "title": self.title,
            "tasks": [asdict(t) for t in self.tasks],
            "grader": self.grader,
            "devices": self.devices,
            "seed": self.seed,
            "graded_at": self.graded_at,
            "total": self.total,
            "possible": self.possible,
            "pending": self.pending,
            "late": self.late,
            "late_share": self.late_share,
            "late_points": self.late_points,
            "excused": self.excused,
            "problem": self.problem,
            "notes": list(self.notes),
            "suspicions": list(self.suspicions),
            "pages": list(self.pages),
            "ignored": list(self.ignored),
            "made_from": self.made_from,
            "protections": self.protections,
        }
        return head | {
            "criteria": [asdict(c) for c in self.criteria],
            "observations": list(self.observations),
        }

    @classmethod
    def from_json(cls, data: Json) -> Score:
        """Read a schema 1 score; ValueError names what does not fit. Unknown keys are ignored."""
        schema = data.get("schema") if isinstance(data, dict) else None
        if schema != SCHEMA:
            raise ValueError(f"expected schema {SCHEMA}, found {schema!r}")
        try:
            return cls(
                submission=data["submission"],
                student=Student(data["student"]["id"], data["student"]["name"]),
                assignment=data["assignment"],
                grader=data["grader"],
                devices=data["devices"],
                graded_at=data["graded_at"],
                criteria=tuple(_criterion(c) for c in data["criteria"]),
                title=data.get("title", ""),
                seed=data.get("seed"),
                tasks=tuple(TaskTitle(t["id"], t["title"]) for t in data.get("tasks", ())),
                observations=tuple(data["observations"]),
                late=data.get("late"),
                late_share=data.get("late_share", 0.0),
                excused=data.get("excused"),
                problem=data.get("problem"),
                notes=tuple(data.get("notes", ())),
                suspicions=tuple(data.get("suspicions", ())),
                pages=tuple(data.get("pages", ())),
                ignored=tuple(data.get("ignored", ())),
                made_from=dict(data.get("made_from") or {}),
                protections=dict(data.get("protections") or {}),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a schema {SCHEMA} score: {error}") from error


def _criterion(data: Json) -> CriterionScore:
    known = {f: data[f] for f in CriterionScore.__dataclass_fields__ if f in data}
    known["id"] = sys.intern(known["id"])
    known["task"] = sys.intern(known.get("task", ""))
    known["state"] = State(data["state"])
    known["outcome"] = None if data["outcome"] is None else Outcome(data["outcome"])
    known["kind"] = Kind(data.get("kind", Kind.CODE))
    return CriterionScore(**known)


@dataclass(frozen=True)
class Report:
    """The text of a hand-in's report, page by page, or why there is none.

    Tables are lines of the form `| cell | cell |`. `to_see` are the pages, counted from 1, that
    hold pictures and next to no text, or were perhaps read in a wrong order.
    """

    file: str | None = None
    pages: tuple[str, ...] = ()
    problem: str | None = None
    to_see: tuple[int, ...] = ()

    @property
    def text(self) -> str:
        return "\n".join(self.pages)

    @property
    def has_pages(self) -> bool:
        """Whether its pages are those that its reader sees; Word alone knows where its own end."""
        return Path(self.file or "").suffix.lower() == ".pdf"


class Likeness(StrEnum):
    """What two hand-ins have in common."""

    CODE = "code"
    TABLE = "table"
    WORDS = "words"


@dataclass(frozen=True)
class InCommon:
    """What two hand-ins have in common beyond what all were given; for the instructor only.

    No verdict. Of each of the two: `shares` says what part of its own it is, from 0 to 1,
    `where` it stands, `criteria` which of its tables hold it.
    """

    first: str
    second: str
    kind: Likeness
    amount: str
    shares: tuple[float, float]
    where: tuple[str, str]
    what: str = ""
    criteria: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())


@dataclass(frozen=True)
class Similar:
    """What hand-ins of a class have in common: all of a pair together, the strongest pair first.

    `cut` is True where there was more than a person would read. `code` is False where code was not
    compared because copydetect is not installed. `fault` is one of ours, in a line.
    """

    in_common: tuple[InCommon, ...] = ()
    cut: bool = False
    code: bool = True
    fault: str | None = None

    @property
    def pairs(self) -> int:
        return len({(one.first, one.second) for one in self.in_common})


@dataclass
class ClassResult:
    """What one run came to. `scores` are those of the class, by id, without their long texts.

    `graded`, `rescored` and `unchanged` count hand-ins: whose code was judged, whose points
    follow from what was observed before, whose result stands. `failed` says, by id, what could
    not be graded for a reason of ours; `ignored` what in the class folder was passed over;
    `missing` who of the roster handed in nothing; `excused` why somebody loses nothing by being
    late, by submission; `kept` where an earlier review sheet was set
    aside because what a person had filled in no longer fits. `stopped` is the signal that ended
    the run early; `left` counts what it did not come to. `fault` says why the report of the class
    is missing.
    """

    scores: list[Score] = field(default_factory=list)
    graded: int = 0
    rescored: int = 0
    unchanged: int = 0
    left: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    missing: tuple[Student, ...] = ()
    excused: dict[str, str] = field(default_factory=dict)
    kept: Path | None = None
    similar: Similar = Similar()
    stopped: int | None = None
    fault: str | None = None
