"""Whether the classes of a hand-in that could be the one to grade all do the same.

Many hand in a script for each task, with a copy of the class in each that differs by a counter.
Where the copies do the same, any of them may be graded; else a person says which is meant.
"""

from __future__ import annotations

from collections.abc import Sequence

from grader.checking.expect import NeedsPerson
from grader.checking.observations import Forward, ProbeFailed
from grader.judge.crosscheck import told_of, way_of
from grader.judge.prober import WorkerProber

_PROBES = 3  # are compared: most GPUs first


def difference_of_rivals(prober: WorkerProber, seen: Sequence[Forward]) -> str | None:
    """What another class does differently, in words; None where all do the same."""
    runs = [run for run in seen if run.script is None]
    runs = sorted(runs, key=lambda run: (run.gpus, run.depth), reverse=True)[:_PROBES]
    for choice, name in enumerate(prober.sites[1:], 1):
        for run in runs:
            prober.choice = choice
            try:
                trace = prober.outline(run.depth, run.gpus, run.dim)
                same = way_of(trace) == way_of(run.trace)
                does = told_of(trace)
            except (ProbeFailed, NeedsPerson) as error:
                same, does = False, str(error)
            finally:
                prober.choice = 0
            if not same:
                return (
                    f"{prober.sites[0]} and {name} could both be the class to grade, and differ: "
                    f"{told_of(run.trace)}, but {does}, at depth {run.depth} on {run.gpus} GPUs."
                )
    return None
