"""What the report of a class rests on, beside the scores: plain values, kept as class.json."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field

from grader.records import Json, Score, Student

SCHEMA = 1


@dataclass(frozen=True)
class Counted:
    """A criterion of the rubric."""

    id: str
    title: str
    points: float


@dataclass(frozen=True)
class ByHand:
    """One thing that class.toml says of one hand-in.

    `key` is its name there ("points", "deadline"), `said` its value in words. `criteria` are
    those that it bears on. Without it the hand-in would be late as `without` says, and lose the
    share `costs` of its points.
    """

    submission: str
    key: str
    said: str
    reason: str | None = None
    criteria: tuple[str, ...] = ()
    without: str | None = None
    costs: float = 0.0


@dataclass(frozen=True)
class ClassFacts:
    """A class: its hand-ins by id, and what its folder and class.toml say.

    `attempts` says of whom several attempts were found, `unlisted` are not in the roster,
    `ignored` are lines on what of the folder was passed over.
    """

    assignment: str
    title: str
    grader: str
    criteria: tuple[Counted, ...] = ()
    ids: tuple[str, ...] = ()
    missing: tuple[Student, ...] = ()
    unlisted: tuple[str, ...] = ()
    attempts: dict[str, str] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    by_hand: tuple[ByHand, ...] = ()
    costs_late: bool = False  # the rubric takes points for being late

    @classmethod
    def of_scores(cls, scores: Iterable[Score]) -> ClassFacts:
        """What scores alone tell, where nothing else is known of their class."""
        found = list(scores)
        first = found[0]
        return cls(
            first.assignment,
            first.title,
            first.grader,
            tuple(Counted(c.id, c.title, c.points) for c in first.criteria),
            tuple(score.submission for score in found),
            costs_late=any(score.late_share for score in found),
        )

    def to_json(self) -> Json:
        return {"schema": SCHEMA} | asdict(self)

    @classmethod
    def from_json(cls, data: Json) -> ClassFacts:
        """Read what `to_json` wrote; ValueError where it is something else."""
        try:
            if data["schema"] != SCHEMA:
                raise ValueError(f"expected schema {SCHEMA}, found {data['schema']!r}")
            known = {name: data[name] for name in cls.__dataclass_fields__}
            known |= {name: tuple(known[name]) for name in ("ids", "unlisted", "ignored")}
            known["criteria"] = tuple(Counted(**one) for one in known["criteria"])
            known["missing"] = tuple(Student(**one) for one in known["missing"])
            by_hand = (one | {"criteria": tuple(one["criteria"])} for one in known["by_hand"])
            return cls(**known | {"by_hand": tuple(ByHand(**one) for one in by_hand)})
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not what a class rests on: {error!r}") from error
