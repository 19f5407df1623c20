"""Judges the code of one hand-in: runs its checks, and once more those that fail."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import attrs
import numpy as np

from grader.checking.observations import SubmissionHandle
from grader.checking.run import run_checks
from grader.errors import InternalError
from grader.judge import challenge
from grader.judge.award import award, costs_points
from grader.judge.crosscheck import cross_checked
from grader.judge.prober import WorkerProber
from grader.judge.record import Record, Try
from grader.judge.rivals import difference_of_rivals
from grader.judge.scriptcheck import script_checked
from grader.judge.verdict import Verdict, code_criteria, verdict_on
from grader.rubric import Rubric, assignment_folder
from grader.sandbox.host import Launcher

CHECK_SECONDS = 600  # a check that hangs is our fault; probes have bounds of their own


def judge(
    assignment: str,
    rubric: Rubric,
    folder: Path,
    files: Sequence[Path],
    launcher: Launcher,
    random: np.random.Generator | None = None,
    model: Path | None = None,
) -> Verdict:
    """Judge the Python `files` (relative to `folder`, a copy that may be run).

    `model` is the one that holds the model class, where somebody said so.

    All draws come from `random`; by default from a source that nobody can foresee.
    Raises InternalError where the checks themselves could not be run.
    """
    random = random or challenge.generator(challenge.fresh_seed())
    criteria = tuple(c.id for c in code_criteria(rubric))
    if not files:
        return verdict_on(rubric, Record(criteria))
    return verdict_on(
        rubric, Hearing(assignment, rubric, folder, files, launcher, random, model).record(criteria)
    )


@dataclass
class Hearing:
    """One hand-in before the judge: a try of all checks, and one more of those that failed.

    A failure counts only if fresh workers with other random numbers fail as well.
    """

    assignment: str
    rubric: Rubric
    folder: Path
    files: Sequence[Path]
    launcher: Launcher
    random: np.random.Generator
    model: Path | None = None

    def record(self, criteria: tuple[str, ...]) -> Record:
        """Everything that is to be seen; time-outs are bounded over both tries."""
        with self._prober(self.rubric.limits.lost) as prober:
            handle = SubmissionHandle(prober)
            first = self._try(handle)
            found = self._looked_around(criteria, prober, handle)
            if found.script is not None and found.script.counts:
                prober.by_script = True
                handle = SubmissionHandle(prober, observations=handle.of_script())
                first = self._try(handle)
            first = replace(first, observations=tuple(handle.observations))
        self._refuse_unknown(first)
        tries = (first, *self._second_try(prober, handle, first))
        return replace(found, tries=tries, notes=tuple(prober.notes))

    def _looked_around(
        self, criteria: tuple[str, ...], prober: WorkerProber, handle: SubmissionHandle
    ) -> Record:
        """What may speak against the first try: other widths, the script, other classes."""
        return Record(
            criteria,
            cross_check=cross_checked(prober, handle.forwards(), self.random),
            script=script_checked(handle),
            rivals=difference_of_rivals(prober, handle.forwards()),
            asked=tuple(prober.asked),
        )

    def _second_try(
        self, prober: WorkerProber, before: SubmissionHandle, first: Try
    ) -> Iterator[Try]:
        """What failed once more, with fresh workers."""
        failed = self._failed(first)
        if failed:
            left = max(self.rubric.limits.lost - prober.lost_seconds, 1e-3)  # one probe at least
            with self._prober(left) as fresh:
                fresh.by_script = prober.by_script
                yield self._try(SubmissionHandle(fresh, before=before), failed)

    def _prober(self, lost: float) -> WorkerProber:
        limits = attrs.evolve(self.rubric.limits, lost=lost)
        words = self.rubric.model
        return WorkerProber(
            self.launcher, self.folder, self.files, words, limits, self.model, self.random
        )

    def _try(self, handle: SubmissionHandle, criteria: set[str] | None = None) -> Try:
        checks = assignment_folder(self.assignment)
        cases = run_checks(checks, handle, seconds=CHECK_SECONDS, criteria=criteria)
        return Try(tuple(cases), tuple(handle.observations))

    def _failed(self, seen: Try) -> set[str]:
        """The criteria that lose points."""
        decided = code_criteria(self.rubric)
        return {c.id for c in decided if costs_points(award(c, seen.of(c.id)))}

    def _refuse_unknown(self, seen: Try) -> None:
        decided = {c.id for c in code_criteria(self.rubric)}
        if unknown := {case.criterion for case in seen.cases} - decided:
            raise InternalError(
                f"checks of {self.assignment} decide {', '.join(sorted(unknown))}",
                expected="code criteria of its rubric.toml",
                do="correct the marker or the rubric",
            )
