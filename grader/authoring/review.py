"""Whether an assignment is as it should be: its rubric, its checks, and what proves them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from grader.assignment import FILE, Assignment, AssignmentFile
from grader.authoring import trial
from grader.authoring.agreement import disagreements
from grader.authoring.trial import Trial
from grader.authoring.wrong import Wrong, proofs, right_hand_ins, wrong_hand_ins
from grader.checking.cases import Check
from grader.checking.run import checks_in
from grader.errors import GraderError, UsageError
from grader.grading.classes import Progress
from grader.records import Kind
from grader.rubric import Rubric, load_rubric
from grader.toml_file import load_toml

T = TypeVar("T")

_LATER = "not looked at before the rest is right"


@dataclass(frozen=True)
class Finding:
    """One part of an assignment. It is right where there are no `faults`; None: not looked at."""

    part: str
    told: str
    faults: tuple[str, ...] | None = ()


@dataclass
class Review:
    """What was found; `advice` is what could be better. `stopped`: the signal that ended it."""

    findings: list[Finding] = field(default_factory=list)
    advice: list[str] = field(default_factory=list)
    stopped: int | None = None

    @property
    def faults(self) -> list[str]:
        return [fault for finding in self.findings for fault in finding.faults or ()]

    def read(
        self, part: str, read: Callable[[], T], tell: Callable[[T], str] | None = None
    ) -> T | None:
        """What `read` returns, told as right; else None, and its error as faults, a line each."""
        try:
            value = read()
        except GraderError as error:
            self.findings.append(Finding(part, "", tuple(str(error).splitlines())))
            return None
        if tell is not None:
            self.findings.append(Finding(part, tell(value)))
        return value


def review(
    assignment: Assignment, *, out: Path | None = None, jobs: int = 1, progress: Progress
) -> Review:
    """Look at all of an assignment.

    What proves it is graded only where the rest is right; results stay in `out`, if it is given.
    """
    found = Review()
    parts = _read(assignment, found)
    if parts is None or found.faults:
        found.findings.append(Finding("hand-ins", _LATER, None))
        return found
    with TemporaryDirectory(prefix="grade-") as scratch:
        workspace = Path(scratch)
        results = out or workspace / "results"
        proved = parts.wrong, parts.right
        held = trial.hold(assignment, *proved, workspace, results, jobs=jobs, progress=progress)
    found.stopped = held.stopped
    if held.stopped is None:
        found.findings += _shown(held, parts)
        found.advice += _advice(parts)
    return found


# ------------------------------------------------------------------ as it is written


@dataclass(frozen=True)
class _Parts:
    rubric: Rubric
    checks: Sequence[Check]
    wrong: Sequence[Wrong]
    right: Mapping[str, Path]


def _read(assignment: Assignment, found: Review) -> _Parts | None:
    """What is right of it by itself; `found` gets to know the rest."""
    found.read("folders", lambda: _folders(assignment), str)
    rubric = found.read("rubric", lambda: load_rubric(assignment), _told_of_rubric)
    if rubric is None:
        return None
    checks = found.read("checks", lambda: _checks(assignment, rubric), _told_of_checks)
    wrong = found.read("wrong hand-ins", lambda: wrong_hand_ins(assignment, rubric))
    if checks is None or wrong is None:
        return None
    return _Parts(rubric, checks, wrong, right_hand_ins(assignment))


def _folders(assignment: Assignment) -> str:
    wrong = [
        UsageError(f"{folder} is missing", expected=what)
        for folder, what in (
            (assignment.reference, "a hand-in that earns all points"),
            (assignment.template, "what students begin with"),
        )
        if not folder.is_dir()
    ]
    path = assignment.template / FILE
    said = load_toml(path, AssignmentFile).assignment if path.is_file() else None
    if said != assignment.name:
        found = "no such file" if said is None else f"{said!r}"
        expected = f'assignment = "{assignment.name}"'
        wrong.append(UsageError(f"{path} has to name it", expected=expected, found=found))
    if wrong:
        raise UsageError("\n".join(map(str, wrong)))
    return f"rubrics, reference and student_template in {assignment.home}"


def _checks(assignment: Assignment, rubric: Rubric) -> list[Check]:
    checks = checks_in(assignment.checks)
    if lines := disagreements(assignment, rubric, checks):
        raise UsageError("\n".join(lines))
    return checks


def _told_of_rubric(rubric: Rubric) -> str:
    code = sum(c.kind is Kind.CODE for c in rubric.criteria)
    read = len(rubric.criteria) - code
    return (
        f"{rubric.possible:g} points, {_several(len(rubric.tasks), 'task')}, "
        f"{_several(code + read, 'criterion', 'criteria')} ({code} code, {read} report)"
    )


def _told_of_checks(checks: Sequence[Check]) -> str:
    functions = {(check.file, check.function) for check in checks}
    return f"{_several(len(functions), 'check')} in {_several(len(checks), 'case')}"


def _several(count: int, one: str, more: str | None = None) -> str:
    return f"{count} {one if count == 1 else more or one + 's'}"


# ------------------------------------------------------------------ as it works


def _shown(held: Trial, parts: _Parts) -> Iterator[Finding]:
    """What was graded, part by part."""
    suggested = {c.id for c in parts.rubric.criteria if c.cue}
    suggested |= {str(check.criterion) for check in parts.checks}
    reference = trial.of_reference(held.scores[trial.REFERENCE], suggested)
    yield Finding("reference", held.told(trial.REFERENCE), tuple(reference))
    wrong = [(one, held.scores[trial.id_of(one)]) for one in parts.wrong]
    faults = [fault for one, score in wrong for fault in trial.of_wrong(score, one)]
    told = f"{len(wrong)}" if faults or not wrong else f"{len(wrong)}, each loses what it says"
    yield Finding("wrong hand-ins", told, tuple(faults))
    right = [held.scores[f"right-{name}"] for name in parts.right]
    faults = [fault for score in right for fault in trial.of_right(score, suggested)]
    if right:
        told = f"{len(right)}" if faults else f"{len(right)}, each earns all points"
        yield Finding("right hand-ins", told, tuple(faults))
    empty = trial.of_empty(held.scores[trial.EMPTY])
    yield Finding("empty scripts", held.told(trial.EMPTY), tuple(empty))
    broken = trial.broken(held.scores[trial.TEMPLATE])
    yield Finding("template", f"as it is: {held.told(trial.TEMPLATE)}", tuple(broken))


def _advice(parts: _Parts) -> Iterator[str]:
    rubric = parts.rubric
    if rubric.points is None:
        yield (
            f"rubric.toml: say  points = {rubric.possible:g}  at the top, and a slip in the points "
            "of a criterion is noticed"
        )
    code = [c.id for c in rubric.criteria if c.kind is Kind.CODE]
    if unproved := [id_ for id_ in code if not proofs(id_, parts.wrong)]:
        yield (
            f"{', '.join(unproved)}: no wrong hand-in loses it, so nothing shows that its check "
            "ever fails; put one with a likely mistake into wrong/"
        )
