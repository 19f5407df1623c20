"""Judges the code of one hand-in: runs its checks, and once more those that fail."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import attrs
import numpy as np

from grader.assignment import Assignment
from grader.checking.answer import Answer
from grader.checking.cases import CaseResult
from grader.checking.run import Wanted, run_checks
from grader.checking.submission import SubmissionHandle
from grader.errors import InternalError
from grader.judge import challenge
from grader.judge.award import award, costs_points
from grader.judge.crosscheck import cross_checked
from grader.judge.directions import Directions, Said
from grader.judge.prober import WorkerProber
from grader.judge.record import Record, Try
from grader.judge.rivals import difference_of_rivals
from grader.judge.scriptcheck import script_checked
from grader.judge.verdict import Verdict, code_criteria, verdict_on
from grader.records import Kind
from grader.rubric import Rubric
from grader.sandbox.host import Launcher

CHECK_SECONDS = 600  # a check that hangs is our fault; probes have bounds of their own


def judge(
    assignment: Assignment,
    rubric: Rubric,
    folder: Path,
    files: Sequence[Path],
    launcher: Launcher,
    random: np.random.Generator | None = None,
    said: Said | None = None,
    read: Callable[[str], Answer] | None = None,
) -> Verdict:
    """Judge the Python `files` (relative to `folder`, a copy that may be run).

    `said` is what the instructor says about them; `read` finds the answer to a criterion in the
    report, or raises NeedsPerson.

    All draws come from `random`; by default from a source that nobody can foresee.
    Raises InternalError where the checks themselves could not be run.
    """
    random = random or challenge.generator(challenge.fresh_seed())
    said = said or Said()
    records = []
    for directions, part in _parts(rubric, said):
        others = {c.id for c in rubric.criteria} - {c.id for c in part.criteria}
        hearing = Hearing(
            assignment, part, folder, files, launcher, random, directions, read, others
        )
        records.append(hearing.record())
    return verdict_on(rubric, replace(records[0], apart=tuple(records[1:])), read)


def _parts(rubric: Rubric, said: Said) -> Iterator[tuple[Directions, Rubric]]:
    """The rubric's tasks by the file that is judged for them: mostly one part, which is all."""
    ways: list[Directions] = [said.model]
    for task in rubric.tasks:
        if (way := said.of(task.id)) not in ways:
            ways.append(way)
    for way in ways:
        criteria = [c for c in rubric.criteria if said.of(c.task) == way]
        if criteria or len(ways) == 1:
            yield way, attrs.evolve(rubric, criterion=criteria)


@dataclass
class Hearing:
    """One hand-in before the judge: a try of all checks, and one more of those that failed.

    A failure counts only if fresh workers with other random numbers fail as well. `rubric` holds
    the criteria that are heard; checks of `others` are left alone.
    """

    assignment: Assignment
    rubric: Rubric
    folder: Path
    files: Sequence[Path]
    launcher: Launcher
    random: np.random.Generator
    said: Directions = field(default_factory=Directions)
    read: Callable[[str], Answer] | None = None
    others: Collection[str] = ()

    def record(self) -> Record:
        """Everything that is to be seen; time-outs are bounded over both tries."""
        criteria = tuple(c.id for c in code_criteria(self.rubric))
        if not self.files:
            return Record(criteria, read=self.read_alone())
        with self._prober(self.rubric.limits.lost) as prober:
            handle = SubmissionHandle(prober, self.read)
            first = self._try(handle, self._of_code)
            found = self._looked_around(criteria, prober, handle)
            if found.script is not None and found.script.counts:
                prober.by_script = True
                handle = SubmissionHandle(prober, self.read, observations=handle.of_script())
                first = self._try(handle, self._of_code)
            answers = self._answers(handle)
            first = replace(first, observations=tuple(handle.observations))
        self._refuse_unknown(first)
        tries = (first, *self._second_try(prober, handle, first))
        said = self.said.told(built=prober.built)
        return replace(found, tries=tries, read=answers, notes=tuple(prober.notes), said=said)

    def read_alone(self) -> tuple[CaseResult, ...]:
        """What the report says where there is no code to compare it with."""
        with self._prober(self.rubric.limits.lost) as prober:
            return self._answers(SubmissionHandle(prober, self.read))

    def _answers(self, handle: SubmissionHandle) -> tuple[CaseResult, ...]:
        """What checks of the report say; the rubric's cues are for later, they need no code."""
        if self.read is None:
            return ()
        asked = {c.id for c in self.rubric.criteria if c.kind is not Kind.CODE}
        return self._try(handle, asked.__contains__).cases

    def _of_code(self, criterion: str) -> bool:
        """Whether its checks are to be run: also those of a criterion that nobody knows."""
        read = {c.id for c in self.rubric.criteria if c.kind is not Kind.CODE}
        return criterion not in read and criterion not in self.others

    def _looked_around(
        self, criteria: tuple[str, ...], prober: WorkerProber, handle: SubmissionHandle
    ) -> Record:
        """What may speak against the first try: the script, other classes, other widths.

        A script that does the same does it at the width that its author trains.
        """
        script = script_checked(handle)
        agrees = script is not None and script.agrees
        return Record(
            criteria,
            cross_check=None if agrees else cross_checked(prober, handle.forwards(), self.random),
            script=script,
            rivals=difference_of_rivals(prober, handle.forwards()),
            asked=tuple(prober.asked),
        )

    def _second_try(
        self, prober: WorkerProber, before: SubmissionHandle, first: Try
    ) -> Iterator[Try]:
        """What failed once more, with fresh workers."""
        failed = self._failed(first)
        if failed:
            left = max(
                self.rubric.limits.lost - prober.workers.lost_seconds, 1e-3
            )  # one probe at least
            with self._prober(left) as fresh:
                fresh.by_script = prober.by_script
                yield self._try(SubmissionHandle(fresh, before=before), failed.__contains__)

    def _prober(self, lost: float) -> WorkerProber:
        limits = attrs.evolve(self.rubric.limits, lost=lost)
        words = self.rubric.model
        return WorkerProber(
            self.launcher,
            self.folder,
            self.files,
            words,
            limits,
            self.rubric.script,
            self.said,
            self.random,
        )

    def _try(self, handle: SubmissionHandle, wanted: Wanted) -> Try:
        cases = run_checks(self.assignment.checks, handle, seconds=CHECK_SECONDS, wanted=wanted)
        return Try(tuple(cases), tuple(handle.observations))

    def _failed(self, seen: Try) -> set[str]:
        """The criteria that lose points."""
        decided = code_criteria(self.rubric)
        return {c.id for c in decided if costs_points(award(c, seen.of(c.id)))}

    def _refuse_unknown(self, seen: Try) -> None:
        decided = {c.id for c in code_criteria(self.rubric)}
        if unknown := {case.criterion for case in seen.cases} - decided:
            raise InternalError(
                f"checks of {self.assignment.name} decide {', '.join(sorted(unknown))}",
                expected="code criteria of its rubric.toml",
                do="correct the marker or the rubric",
            )
