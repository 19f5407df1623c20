"""Whether a model does at the widths that students train what it did at those of the probes.

A probe is 17 to 39 wide, so that its numbers cost little; a run without data costs the same at any
width. Code whose way depends on the width is for a person: it may mean to deceive, or to be quick.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from grader.checking.expect import NeedsPerson
from grader.checking.observations import Forward, ProbeFailed
from grader.judge.exchange import Lost
from grader.judge.prober import WorkerProber
from grader.trace import Trace

WIDTHS = (1024, 8192)


@dataclass(frozen=True)
class CrossCheck:
    """One forward pass without data, beside the probe of the same depth and GPU count.

    `agrees` is None where the code does not run without data at the probe's width either, as code
    does that looks at values, or takes too much for it: nothing can be said, and nobody need look.
    """

    depth: int
    gpus: int
    width: int
    agrees: bool | None
    problem: str | None = None


def cross_checked(
    prober: WorkerProber, seen: Sequence[Forward], random: np.random.Generator
) -> CrossCheck | None:
    """Run one of the probes again, at a width drawn at random; None where there is none to run.

    On more than two GPUs where there is such a probe: many ways to spread layers agree on two.
    """
    seen = [run for run in seen if run.script is None]
    candidates = [run for run in seen if run.gpus > 2] or [run for run in seen if run.gpus > 1]
    if not candidates:
        return None
    run = candidates[int(random.integers(len(candidates)))]
    width = int(random.integers(WIDTHS[0], WIDTHS[1] + 1))
    found = partial(CrossCheck, run.depth, run.gpus, width)
    try:
        problem = _difference(prober, run, width)
        if problem is None:
            return found(True)
        without_data = _difference(prober, run, run.dim)
        if without_data is None and _difference(prober, run, width) is None:
            return found(None, "without data it is not the same in every run")
    except Lost as lost:  # it fills arrays of its own, of NumPy's say, and they are large
        return found(None, str(lost))
    return found(False, problem) if without_data is None else found(None, without_data)


def _difference(prober: WorkerProber, run: Forward, width: int) -> str | None:
    """What is not the same as in the probe, in words; None where all is.

    Raises Lost where it takes more time or memory than there is.
    """
    try:
        trace = prober.outline(run.depth, run.gpus, width)
    except (ProbeFailed, NeedsPerson) as error:
        if isinstance(error, Lost) and error.reason in ("timeout", "memory"):
            raise
        return str(error)
    if way_of(run.trace) == way_of(trace):
        return None
    return f"{told_of(trace)} instead of {told_of(run.trace)}"


def told_of(trace: Trace) -> str:
    layers = ", ".join(map(str, trace.layers_per_gpu()))
    return f"{layers} layers per GPU and {trace.gpu_to_gpu()} transfers"


def way_of(trace: Trace) -> tuple[object, ...]:
    """Where the layers ran, and how often data moved."""
    return trace.placement(), trace.gpu_to_gpu(), trace.host_to_gpu(), trace.gpu_to_host()
