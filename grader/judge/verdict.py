"""Judges the code of one hand-in: runs its checks and awards the criteria they decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from grader.checking.observations import SubmissionHandle
from grader.checking.run import run_checks
from grader.errors import InternalError
from grader.judge import challenge
from grader.judge.award import award, without_code
from grader.judge.prober import WorkerProber
from grader.records import CriterionScore, Json, Kind
from grader.rubric import Rubric, assignment_folder
from grader.sandbox.host import Launcher

CHECK_SECONDS = 600  # a check that hangs is our fault; probes have bounds of their own


@dataclass(frozen=True)
class Verdict:
    """Scores of the code criteria, in the rubric's order, and what they rest on."""

    criteria: dict[str, CriterionScore]
    observations: tuple[Json, ...] = ()
    notes: tuple[str, ...] = ()


def judge(
    assignment: str,
    rubric: Rubric,
    folder: Path,
    files: Sequence[Path],
    launcher: Launcher,
    random: np.random.Generator | None = None,
) -> Verdict:
    """Judge the Python `files` (relative to `folder`, a copy that may be run).

    All draws come from `random`; by default from a source that nobody can foresee.
    Raises InternalError where the checks themselves could not be run.
    """
    decided = [c for c in rubric.criteria if c.kind is Kind.CODE]
    if not files:
        reason = "no Python script was handed in"
        return Verdict({c.id: without_code(c, reason) for c in decided})
    random = random or challenge.generator(challenge.fresh_seed())
    with WorkerProber(launcher, folder, files, rubric.model, rubric.limits, random) as prober:
        handle = SubmissionHandle(prober)
        cases = run_checks(assignment_folder(assignment), handle, seconds=CHECK_SECONDS)
    if unknown := {r.criterion for r in cases} - {c.id for c in decided}:
        raise InternalError(
            f"checks of {assignment} decide {', '.join(sorted(unknown))}",
            expected="code criteria of its rubric.toml",
            do="correct the marker or the rubric",
        )
    scores = {c.id: award(c, [r for r in cases if r.criterion == c.id]) for c in decided}
    notes: tuple[str, ...] = ()
    if prober.pinned is not None:
        notes = (f"the script sets CUDA_VISIBLE_DEVICES to {prober.pinned}; ignored here",)
    return Verdict(scores, tuple(handle.observations), notes)
