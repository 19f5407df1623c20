"""Grades what proves an assignment, as a class is graded: its reference, its right and wrong
hand-ins, its template, and its reference with nothing in its files.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten

from grader.assignment import Assignment
from grader.authoring.wrong import FILE, Code, Wrong
from grader.grading import grade_class, results
from grader.grading.classes import Progress
from grader.intake import CODE
from grader.intake.settings import FILE as SETTINGS
from grader.records import CriterionScore, Kind, Outcome, Score

REFERENCE, EMPTY, TEMPLATE = "reference", "empty", "template"


@dataclass(frozen=True)
class Trial:
    """The scores, by what was graded: the three above, `id_of` wrong ones, and `right-NAME`."""

    scores: dict[str, Score]
    stopped: int | None = None

    def told(self, name: str) -> str:
        """What a hand-in earned, in words."""
        criteria = self.scores[name].criteria
        code = [c for c in criteria if c.kind is Kind.CODE]
        read = [c for c in criteria if c.kind is not Kind.CODE]
        told = f"{_sum(code)} for code"
        return f"{told}, {_sum(read)} suggested for the report" if _earned_by(read) else told


def id_of(wrong: Wrong) -> str:
    return f"wrong-{wrong.name}"


def hold(
    assignment: Assignment,
    wrong: Sequence[Wrong],
    right: Mapping[str, Path],
    workspace: Path,
    out: Path,
    *,
    jobs: int,
    progress: Progress,
) -> Trial:
    """Grade all of it; results go into `out`. It is the author's own code, so it is trusted."""
    folder = workspace / "class"
    hand_ins = {REFERENCE: assignment.reference, TEMPLATE: assignment.template}
    hand_ins |= {id_of(one): one.folder for one in wrong}
    hand_ins |= {f"right-{name}": path for name, path in right.items()}
    _make_class(hand_ins, folder)
    for one in wrong:
        if one.code is Code.REFERENCE:
            _copy_code(assignment.reference, folder / id_of(one))
    for name, path in right.items():
        if not any(file.suffix in CODE for file in path.rglob("*")):  # other answers only
            _copy_code(assignment.reference, folder / f"right-{name}")
    result = grade_class(
        folder,
        out,
        assignment=assignment.name,
        home=assignment.home,
        jobs=jobs,
        trust=True,
        progress=progress,
    )
    return Trial({score.submission: score for score in results.stored(out)}, result.stopped)


def _make_class(hand_ins: Mapping[str, Path], folder: Path) -> None:
    for name, source in hand_ins.items():
        ignored = shutil.ignore_patterns("__pycache__", FILE)
        shutil.copytree(source, folder / name, ignore=ignored)
    _empty(hand_ins[REFERENCE], folder / EMPTY)
    # A roster, so that none is taken for another attempt of one with a similar name.
    names = [*hand_ins, EMPTY]
    (folder / "roster.csv").write_text("\n".join(["id,name", *(f"{n},{n}" for n in names)]))
    (folder / SETTINGS).write_text('roster = "roster.csv"\n')


def _copy_code(reference: Path, folder: Path) -> None:
    for file in reference.rglob("*"):
        if file.suffix in CODE:
            copy = folder / file.relative_to(reference)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)


def _empty(reference: Path, folder: Path) -> None:
    """Scripts of the reference's names with nothing in them."""
    folder.mkdir()
    for file in reference.rglob("*"):
        if file.suffix in CODE:
            copy = (folder / file.relative_to(reference)).with_suffix(".py")
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.touch()


# ------------------------------------------------------------------ what it shows


def of_reference(score: Score, suggested: set[str]) -> Iterator[str]:
    """Where it does not get all points; `suggested` are criteria of which cues or checks speak."""
    yield from broken(score)
    for c in score.criteria:
        wanted = c.kind is Kind.CODE or c.id in suggested
        if wanted and c.earned != c.points and c.outcome is not Outcome.ERROR:
            yield f"reference: {c.id}: expected all {_points(c.points)}, {_found(c)}"


def of_right(score: Score, suggested: set[str]) -> Iterator[str]:
    """Where a right hand-in does not get all points: for code, and for what is suggested."""
    yield from broken(score)
    for c in score.criteria:
        meant = c.kind is Kind.CODE or (c.id in suggested and c.earned is not None)
        if meant and c.earned != c.points and c.outcome is not Outcome.ERROR:
            yield f"{score.submission}: {c.id}: expected all {_points(c.points)}, {_found(c)}"


def of_empty(score: Score) -> Iterator[str]:
    """What scripts with nothing in them get points for."""
    yield from broken(score)
    for c in score.criteria:
        if c.kind is Kind.CODE and c.earned:
            yield (
                f"empty scripts: {c.id}: expected no points, {_found(c)}; let its check expect "
                "something that has to be there"
            )


def of_wrong(score: Score, wrong: Wrong) -> Iterator[str]:
    """Where a wrong hand-in does not lose what it says."""
    yield from broken(score)
    for c in score.criteria:
        if c.id not in wrong.points or c.outcome is Outcome.ERROR:
            continue
        expected = wrong.points[c.id]
        if c.earned != expected:
            said = "that a person must look" if expected is None else _points(expected)
            yield f"wrong/{wrong.name}: {c.id}: expected {said}, {_found(c)}"
        elif c.outcome is Outcome.FAILED and not c.hint and c.kind is Kind.CODE:
            why = "lost without a word on what to do; give that expect() a hint"
            yield f"wrong/{wrong.name}: {c.id}: {why}"


def broken(score: Score) -> Iterator[str]:
    """Where checks themselves failed, once for each reason."""
    failed = [c for c in score.criteria if c.outcome is Outcome.ERROR]
    for why in dict.fromkeys((c.operator or c.evidence).strip() for c in failed):
        yield f"{score.submission}: a check could not decide: {why.splitlines()[-1]}"


def _sum(criteria: Sequence[CriterionScore]) -> str:
    return f"{_earned_by(criteria):g} of {sum(c.points for c in criteria):g} points"


def _earned_by(criteria: Sequence[CriterionScore]) -> float:
    return sum(c.earned or 0 for c in criteria)


def _points(points: float) -> str:
    return f"{points:g} point{'' if points == 1 else 's'}"


def _found(c: CriterionScore) -> str:
    found = "that a person must look" if c.earned is None else _points(c.earned)
    return f"found {found}: {shorten(c.evidence.rstrip('.'), 300, placeholder=' …')}"
