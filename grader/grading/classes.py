"""Grades a class.

submissions/ -> intake -> plan -> a judging process each (worker, checks, score, report) -> tables
"""

from __future__ import annotations

import functools
import secrets
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FrameType
from typing import Protocol

from grader import exports, intake
from grader.assignment import Assignment, assignments, find
from grader.errors import InternalError, UsageError
from grader.grading import class_report, fingerprint, locks, results, similar
from grader.grading.plan import Choice, plan
from grader.grading.pool import Pool
from grader.grading.run import Graded, Job, Need, Run
from grader.records import ClassResult, Score
from grader.rubric import load_rubric
from grader.sandbox.launching import sandboxes

DEFAULT_ASSIGNMENT = "hw3"
WARM = "grader.grading.warm:with_checks"


class Progress(Protocol):
    """Told whenever hand-ins are begun or finished; `running` are ids."""

    def __call__(self, done: int, total: int, running: Sequence[str]) -> None:
        """Show it."""


def grade_class(
    folder: Path,
    out: Path,
    *,
    assignment: str | None = None,
    home: Path | None = None,
    jobs: int = 1,
    choice: Choice | None = None,
    trust: bool = False,
    progress: Progress,
) -> ClassResult:
    """Bring the results of a class in `out` up to date, `jobs` hand-ins at a time.

    `folder` is the class folder, or a zip or tarball of it. A hand-in is graded where something
    that its result follows from has changed. Ctrl-C and SIGTERM end what is running; what is
    finished is kept. `home` is where the assignment is, if it did not come with this package.
    `trust` runs student code even where this machine cannot confine it.
    Raises UsageError before anything is graded where folder, class.toml, rubric or `choice` do
    not fit, and where another run is at work in `out`.
    """
    choice, result = choice or Choice(), ClassResult()
    with _stopping(result), locks.workspace() as workspace:
        found = intake.read_class(folder, workspace)
        chosen = _chosen(assignment or found.settings.assignment, home)
        rubric = load_rubric(chosen)
        points = {c.id: c.points for c in rubric.criteria}
        roles = rubric.model.roles if rubric.model else ()
        intake.refuse_overrides(found, points, [t.id for t in rubric.tasks], roles, workspace)
        meant = choice.of(found.entries)
        results.make(out)
        result.ignored, result.missing = found.ignored, found.missing
        result.excused = found.settings.excused
        with locks.only_run_in(out):
            results.sweep(out)
            made_from = fingerprint.of_run(chosen, rubric)
            seed = choice.seed or secrets.token_hex(16)
            run = Run(chosen, rubric, found.settings, out, seed, workspace, made_from)
            update = _Update(run, result, found, trust)
            try:
                update.grade(list(plan(run, meant, update.scores, choice)), jobs, progress)
                update.compare()
            finally:
                update.finish()
    return result


def _chosen(name: str | None, home: Path | None) -> Assignment:
    """The assignment of this name; where none is said, the only one that is in `home`."""
    if name is not None or home is None:
        return find(name or DEFAULT_ASSIGNMENT, home)
    own = [one for one in assignments(home) if one.home == home.absolute()]
    if len(own) != 1:
        raise UsageError(
            "which assignment is it?",
            expected=" or ".join(one.name for one in own) or f"one that is in {home}",
            do="name it with --assignment or in class.toml",
        )
    return own[0]


@contextmanager
def _stopping(result: ClassResult) -> Iterator[None]:
    """The first SIGINT or SIGTERM ends what is in here, once it has tidied up."""
    signals = (signal.SIGINT, signal.SIGTERM)

    def stop(number: int, _: FrameType | None) -> None:
        for each in signals:
            signal.signal(each, signal.SIG_IGN)  # what is left to do takes a moment
        result.stopped = number
        raise KeyboardInterrupt

    before = [(each, signal.signal(each, stop)) for each in signals]
    try:
        yield
    except KeyboardInterrupt:
        if result.stopped is None:
            raise
    finally:
        for each, handler in before:
            signal.signal(each, handler)


def grade_job(run: Run, job: Job) -> Graded:
    """What a judging process does; its imports are not needed outside it."""
    from grader.grading.hand_in import grade

    return grade(run, job)


@dataclass
class _Update:
    """Brings a results folder up to date with a class.

    `scores` are all results that are there, without their long texts. `drafts` are what a person
    has filled in on the review sheet and not confirmed.
    """

    run: Run
    result: ClassResult
    found: intake.ClassFolder
    trust: bool
    scores: dict[str, Score] = field(init=False)

    def __post_init__(self) -> None:
        out = self.run.out
        self.scores = {s.submission: results.without_texts(s) for s in results.stored(out)}
        self.sheet = exports.read_filled_in(out / results.REVIEW)
        self.drafts = self.sheet.drafts(self.scores.values())
        self.result.similar = similar.read(out)

    def grade(self, plan: Sequence[Job], size: int, progress: Progress) -> None:
        """Do what is planned."""
        jobs = [job for job in plan if job.need is not Need.NOTHING]
        self.result.unchanged = len(plan) - len(jobs)
        self.result.left = len(jobs)
        if not jobs:
            return
        self._keep_what_is_overtaken(jobs)
        left = {job.entry.id: job for job in jobs}
        with ExitStack() as stack:
            stack.callback(self._take_what_was_written, left)
            of = self.run.assignment
            pool: Pool[Job, Graded] = Pool(size, (WARM, of.name, str(of.home)))
            stack.enter_context(pool)  # gets warm while the zygote does
            run, tick = self.run, None
            if any(job.need is Need.RUNNING for job in jobs):
                found = stack.enter_context(sandboxes(run.workspace, trust=self.trust))
                run = replace(run, launcher=found.launcher, protections=found.protections)
                tick = found.revive
                stack.callback(pool.close)  # before the sandboxes are gone that it works with

            def look() -> None:
                if tick is not None:
                    tick()
                progress(len(jobs) - self.result.left, len(jobs), [j.entry.id for j in pool.doing])

            for job, graded in pool.results(functools.partial(grade_job, run), jobs, look):
                del left[job.entry.id]
                self._take(job, graded or _given_up(run, job))
                look()

    def _take_what_was_written(self, left: Mapping[str, Job]) -> None:
        """Where we were stopped between a result's writing and its process' last word."""
        for id_, job in left.items():
            score = results.read(self.run.out, id_)
            if score is not None and results.without_texts(score) != self.scores.get(id_):
                self._take(job, Graded(results.without_texts(score)))

    def _take(self, job: Job, graded: Graded) -> None:
        self.scores[job.entry.id] = graded.score
        self.result.left -= 1
        if job.need is Need.RUNNING:
            self.result.graded += 1
        else:
            self.result.rescored += 1
        self.result.ignored += graded.ignored
        if graded.fault is not None:
            self.result.failed[job.entry.id] = graded.fault

    def _keep_what_is_overtaken(self, jobs: Sequence[Job]) -> None:
        """Set the review sheet aside where it is about hand-ins that were replaced since.

        At once, so that a later run never takes that for what was filled in about the new ones.
        """
        stale = {job.entry.id for job in jobs if self._is_replaced(job)}
        if not self.sheet.unclear and not self.sheet.concerns(stale):
            return
        self.result.kept = self.sheet.set_aside()
        self.drafts = self.sheet.without(stale).drafts(self.scores.values())
        rest = (s for s in results.stored(self.run.out) if s.submission not in stale)
        in_common = self.result.similar.in_common
        exports.write_review(self.run.out / results.REVIEW, rest, self.drafts, in_common)

    def _is_replaced(self, job: Job) -> bool:
        old = self.scores.get(job.entry.id)
        read = ("submission", "directions")  # what a person had before them follows from these
        return old is None or any(old.made_from.get(n) != job.made_from[n] for n in read)

    def compare(self) -> None:
        """See what the hand-ins have in common."""
        run = self.run
        self.result.similar = similar.bring_up_to_date(
            run.out, run.assignment, self.scores.values()
        )

    def finish(self) -> None:
        """Write the tables over all results and the report of the class; say what it has."""
        found = self.result.similar.in_common
        unplaced = results.write_tables(self.run.out, self.scores.values(), found, self.drafts)
        if unplaced and self.result.kept is None:
            self.result.kept = self.sheet.set_aside()
        ids = [entry.id for entry in self.found.entries]
        self.result.scores = [self.scores[id_] for id_ in ids if id_ in self.scores]
        try:
            class_report.update(self.run, self.found, self.result.scores, self.result.similar)
        except InternalError as error:
            self.result.fault = str(error)


def _given_up(run: Run, job: Job) -> Graded:
    from grader.grading.hand_in import give_up

    return give_up(run, job, "the process that judges it died twice")


def confirm(out: Path) -> list[Score]:
    """Take a person's points and comments from review.csv, and write all results again.

    Raises UsageError, with every line that does not fit, before anything is written.
    """
    from grader.grading.hand_in import write_score

    scores = list(results.stored(out))
    if not scores:
        raise results.none_in(out)
    with locks.only_run_in(out):
        alike = similar.read(out)
        decisions = exports.read_review(out / results.REVIEW, scores, alike.in_common)
        decided = exports.apply_decisions(scores, decisions)
        for score in decided:
            write_score(out, score)
        results.write_tables(out, decided, alike.in_common)
        class_report.rewrite(out, decided, alike)
    return decided
