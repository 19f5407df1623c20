"""What was seen of one hand-in: kept, so that points can move later without running its code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from grader.checking.cases import CaseResult
from grader.errors import InternalError
from grader.judge.crosscheck import CrossCheck
from grader.judge.scriptcheck import ScriptCheck
from grader.records import Json, Outcome
from grader.rubric import Criterion

SCHEMA = 2


@dataclass(frozen=True)
class Try:
    """One run of checks: what each case said, and the observations that it rests on."""

    cases: tuple[CaseResult, ...]
    observations: tuple[Json, ...] = ()

    def of(self, criterion: str) -> list[CaseResult]:
        return [case for case in self.cases if case.criterion == criterion]


@dataclass(frozen=True)
class Record:
    """All that the points of a hand-in's code rest on.

    `criteria` are those that were to be decided. There is no try where no code was handed in, and
    a second one where criteria failed in the first: it holds their cases only.
    """

    criteria: tuple[str, ...]
    tries: tuple[Try, ...] = ()
    cross_check: CrossCheck | None = None
    notes: tuple[str, ...] = ()
    script: ScriptCheck | None = None
    rivals: str | None = None  # how classes differ of which only one was graded
    read: tuple[CaseResult, ...] = ()  # what checks say of the report
    asked: tuple[str, ...] = ()  # roles of what the code asked for and was answered
    said: str | None = None  # what was done as the instructor says, in a sentence
    apart: tuple[Record, ...] = ()  # of tasks that have a file of their own

    @property
    def parts(self) -> tuple[Record, ...]:
        """All of it: this, and those of tasks that have a file of their own."""
        return (self, *self.apart)

    def of(self, criterion: str) -> Record:
        """The part that decides a criterion."""
        return next((part for part in self.parts if criterion in part.criteria), self)

    def to_json(self) -> Json:
        apart = [part.to_json() for part in self.apart]
        return {"schema": SCHEMA} | asdict(self) | {"apart": apart}

    @classmethod
    def from_json(cls, data: Json) -> Record:
        """Read a record; InternalError where it is of another kind."""
        try:
            if data["schema"] != SCHEMA:
                raise ValueError(f"schema {data['schema']!r}")
            tries = (
                Try(tuple(map(_case, t["cases"])), tuple(t["observations"])) for t in data["tries"]
            )
            cross_check = None if data["cross_check"] is None else CrossCheck(**data["cross_check"])
            script = None if data["script"] is None else ScriptCheck(**data["script"])
            return cls(
                tuple(data["criteria"]),
                tuple(tries),
                cross_check,
                tuple(data["notes"]),
                script,
                data["rivals"],
                tuple(map(_case, data["read"])),
                tuple(data["asked"]),
                data.get("said"),
                tuple(map(cls.from_json, data.get("apart", ()))),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise misfit(f"{type(error).__name__}: {error}", f"schema {SCHEMA}") from error

    def refuse_other_rubric(self, decided: Sequence[Criterion]) -> None:
        """Raise InternalError where points by these criteria need checks that never ran."""
        ids = {c.id for c in decided}
        known = {id_ for part in self.parts for id_ in part.criteria}
        if unknown := known - ids:
            raise misfit(f"the criteria {_listed(unknown)}", "code criteria of the rubric only")
        if missing := ids - known:
            raise misfit("no checks of them", f"the criteria {_listed(missing)}")
        for criterion in decided if self.tries else ():
            cases = {case.case for case in self.of(criterion.id).tries[0].of(criterion.id)}
            named = {case for rule in criterion.partial for case in rule.cases or ()}
            if missing := named - cases:
                raise misfit("no such case", f"the cases {_listed(missing)} of {criterion.id}")


def misfit(found: str, expected: str) -> InternalError:
    return InternalError(
        "what was seen of a hand-in earlier does not fit the rubric",
        expected=expected,
        found=found,
        do="grade the hand-in again",
    )


def _case(data: Json) -> CaseResult:
    outcome = None if data["outcome"] is None else Outcome(data["outcome"])
    return CaseResult(**(data | {"outcome": outcome}))


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names))
