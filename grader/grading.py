"""Grades one hand-in, grades a class: the one file that names every part.

submissions/ -> intake -> worker -> checks -> score -> report, gradebook
"""

from __future__ import annotations

import json
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path

from grader import __version__, exports, intake, reports, rubric
from grader.errors import UsageError
from grader.judge import Verdict, fresh_seed, generator, judge
from grader.judge.award import for_a_person, undecided
from grader.records import (
    ClassResult,
    CriterionScore,
    Kind,
    Outcome,
    Report,
    Score,
    Submission,
    TaskTitle,
    write_json,
)
from grader.sandbox import reader
from grader.sandbox.host import Launcher
from grader.sandbox.launching import launcher_for_this_process

DEFAULT_ASSIGNMENT = "hw3"
REVIEW = "review.csv"


@dataclass(frozen=True)
class Run:
    """What one run of `grade` needs to know about every hand-in."""

    assignment: str
    settings: intake.ClassSettings
    out: Path
    seed: str


def grade_class(
    folder: Path,
    out: Path,
    *,
    assignment: str | None = None,
    jobs: int = 1,
    seed: str | None = None,
    progress: Callable[[Score, int], None],
) -> ClassResult:
    """Grade every hand-in of a class folder into `out`.

    All that is drawn at random follows from `seed`, which is kept in each score; without one
    it cannot be foreseen. `progress` is called with each score as it is finished and the
    number of hand-ins.
    Raises UsageError before anything is graded where folder, class.toml or rubric do not fit.
    """
    with tempfile.TemporaryDirectory(prefix="grade-") as workspace:
        found = intake.read_class(folder, Path(workspace), assignment)
        name = assignment or found.settings.assignment or DEFAULT_ASSIGNMENT
        points = {c.id: c.points for c in rubric.load_rubric(name).criteria}
        intake.refuse_unknown_criteria(folder, points)
        run = Run(name, found.settings, out, seed or fresh_seed())
        _make_folder(out)
        result = ClassResult(ignored=found.ignored, missing=found.missing)
        for score, fault in grade_all(run, found.submissions, jobs, grade_and_write):
            result.scores.append(score)
            if fault is not None:
                result.failed[score.submission] = fault
            progress(score, len(found.submissions))
    result.scores.sort(key=lambda score: score.submission)
    result.kept = exports.keep_filled_in(out / REVIEW)
    write_tables(out, result.scores)
    return result


Graded = tuple[Score, str | None]
Grade = Callable[[Run, Submission], Graded]


def grade_all(
    run: Run, submissions: Sequence[Submission], jobs: int, grade: Grade
) -> Iterator[Graded]:
    """Apply `grade` to every hand-in in `jobs` processes, and yield results as they come.

    A process that dies takes its pool along; what was in it is tried once more, each hand-in in
    a process of its own, so that one never costs another its grade.
    """
    lost = []
    for submission, graded in _pooled(run, submissions, jobs, grade):
        if graded is None:
            lost.append(submission)
        else:
            yield graded
    for submission in lost:
        for _, graded in _pooled(run, [submission], 1, grade):
            yield graded or _failed(run, submission, "the process that judges it died twice")


def _pooled(
    run: Run, submissions: Sequence[Submission], jobs: int, grade: Grade
) -> Iterator[tuple[Submission, Graded | None]]:
    # Processes, because pytest runs in each of them; spawned, so that none inherits a thread.
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        futures = {pool.submit(grade, run, submission): submission for submission in submissions}
        for future in as_completed(futures):
            try:
                yield futures[future], future.result()
            except BrokenProcessPool:
                yield futures[future], None


def grade_and_write(run: Run, submission: Submission) -> Graded:
    """Grade one hand-in and write its results; the second value says what failed on our side."""
    fault = None
    try:
        score = grade_one(run, submission, launcher_for_this_process())
    except Exception:  # whatever it is, it is ours: the class goes on, no point is lost
        score, fault = _failed(run, submission, traceback.format_exc())
    try:
        write_score(run.out, score)
    except OSError as error:
        fault = f"results could not be written: {error}"
    else:
        errors = [c.operator or c.evidence for c in score.criteria if c.outcome is Outcome.ERROR]
        fault = fault or (errors[0] if errors else None)
    return score, fault


def grade_one(run: Run, submission: Submission, launcher: Launcher) -> Score:
    """Judge the code, read the report, and put both into one score."""
    the_rubric = rubric.load_rubric(run.assignment)
    if submission.problem is not None:
        why = f"the hand-in could not be read: {submission.problem}"
        return _score(run, submission, [undecided(c, why) for c in the_rubric.criteria])
    with _copy(submission.folder) as folder:
        random = generator(run.seed, submission.id)
        verdict = judge(run.assignment, the_rubric, folder, submission.code, launcher, random)
        report = _read_report(submission, folder, launcher)
    criteria = [
        verdict.criteria[c.id] if c.kind is Kind.CODE else _written(c, report)
        for c in the_rubric.criteria
    ]
    return _score(run, submission, criteria, verdict)


def _written(criterion: rubric.Criterion, report: Report) -> CriterionScore:
    found = intake.find_passage(report, criterion.where)
    missing = report.problem or f"nothing was found under {' / '.join(criterion.where)!r}"
    return for_a_person(criterion, found, missing)


def _read_report(submission: Submission, folder: Path, launcher: Launcher) -> Report:
    if not submission.reports:
        return Report(problem="no report (PDF) was handed in")
    return reader.read_report(launcher, folder, submission.reports[0])


def _score(
    run: Run,
    submission: Submission,
    criteria: list[CriterionScore],
    verdict: Verdict | None = None,
) -> Score:
    the_rubric = rubric.load_rubric(run.assignment)
    return Score(
        submission=submission.id,
        student=submission.student,
        assignment=run.assignment,
        title=the_rubric.title,
        tasks=tuple(TaskTitle(t.id, t.title) for t in the_rubric.tasks),
        grader=__version__,
        devices="virtual",
        seed=run.seed,
        graded_at=datetime.now(UTC).isoformat(timespec="seconds"),
        criteria=tuple(intake.with_overrides(criteria, submission.id, run.settings)),
        observations=verdict.observations if verdict else (),
        late=intake.lateness(submission, run.settings),
        problem=submission.problem,
        notes=(*submission.notes, *(verdict.notes if verdict else ())),
        suspicions=intake.suspicions(submission.folder, submission.code),
    )


def _failed(run: Run, submission: Submission, details: str) -> Graded:
    why = "the grader failed on this hand-in; no points are lost, a person will look"
    criteria = [undecided(c, why, details) for c in rubric.load_rubric(run.assignment).criteria]
    return _score(run, submission, criteria), details.strip().splitlines()[-1]


@contextmanager
def _copy(folder: Path) -> Iterator[Path]:
    """A copy that student code may spoil, without links and junk."""
    with tempfile.TemporaryDirectory(prefix="hand-in-", ignore_cleanup_errors=True) as scratch:
        copy = Path(scratch).resolve() / "hand-in"
        intake.copy_files(folder, copy)
        yield copy


# -------------------------------------------------------------- what is written


def write_score(out: Path, score: Score) -> None:
    """Write `<id>/score.json` and `<id>/report.pdf`."""
    write_json(out / score.submission / "score.json", score.to_json())
    reports.write_report(score, out / score.submission / "report.pdf")


def write_tables(out: Path, scores: list[Score]) -> None:
    """Write gradebook.csv and review.csv."""
    exports.write_gradebook(out / "gradebook.csv", scores)
    exports.write_review(out / REVIEW, scores)


def confirm(out: Path) -> list[Score]:
    """Take a person's points and comments from review.csv, and write all results again.

    Raises UsageError, with every line that does not fit, before anything is written.
    """
    scores = read_scores(out)
    decisions = exports.read_review(out / REVIEW, scores)
    decided = exports.apply_decisions(scores, decisions)
    for score in decided:
        write_score(out, score)
    write_tables(out, decided)
    return decided


def read_scores(out: Path) -> list[Score]:
    """All `score.json` of a results folder, by id."""
    files = sorted(out.glob("*/score.json"))
    if not files:
        raise UsageError(
            f"{out} holds no results",
            expected="a folder with <id>/score.json in it",
            do="run `grade SUBMISSIONS` first, and name its --out folder here",
        )
    scores = []
    for file in files:
        try:
            scores.append(Score.from_json(json.loads(file.read_text("utf-8"))))
        except ValueError as error:
            raise UsageError(f"{file} is not a score", found=str(error)) from error
    return scores


def _make_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError, PermissionError) as error:
        raise UsageError(
            f"results cannot be written to {out}",
            found=str(error),
            do="name another folder with --out",
        ) from error
