"""Whether the script, run whole, does with its model what the class by itself does.

What was handed in is the script: one that builds the right model and then moves all of it to
cuda:0 trains on one GPU, and one that spreads the layers of a plain model itself uses them all.
"""

from __future__ import annotations

from dataclasses import dataclass

from grader.checking.observations import Forward, ScriptRun, listed
from grader.checking.submission import SubmissionHandle
from grader.trace import Trace

_UNDONE = "Leave this line out: the class has given every layer its GPU."
_NO_COPIES = "Leave nn.DataParallel out, and give each layer its GPU where it is made."


@dataclass(frozen=True)
class ScriptCheck:
    """One run of the script beside the class's own forward pass at the same depth and GPU count.

    `agrees` is None where the script could not be run to its end, or ran no such model; `told`
    says what each of them does. A script that uses several GPUs, and fewer than there are, may
    mean to, and one that was answered by us may do otherwise: `certain` is False then.
    `replicated`: torch copied the model to several GPUs. `where` are the lines of the script that
    do it, `hint` what to try.
    """

    depth: int
    gpus: int
    file: str | None
    agrees: bool | None
    told: str
    certain: bool = True
    replicated: bool = False
    where: str | None = None
    hint: str | None = None

    @property
    def counts(self) -> bool:
        """Whether the script does something else with the model, so that this is what counts."""
        return self.agrees is False and self.certain


def script_checked(submission: SubmissionHandle) -> ScriptCheck | None:
    """Run the script for one of the probes, on as many GPUs as there are; None without a probe."""
    probes = [key for key in submission.asked("forward") if key[1] > 1]
    if not probes:
        return None
    ran = set(submission.asked("script"))  # a run more takes as long as all else
    depth, gpus = max(probes, key=lambda probe: (probe in ran, probe[1], probe[0]))
    seen = [run for run in submission.forwards() if (run.depth, run.gpus) == (depth, gpus)]
    if any(run.script for run in seen):
        return None  # it counts already
    script = submission.run_script(depth=depth, gpus=gpus)
    return _compared(script, seen[0] if seen else None)


def _compared(script: ScriptRun, run: Forward | None) -> ScriptCheck:
    trace = script.trace_of_model()
    agrees = run is not None and any(
        (list(way.placement), way.gpu_to_gpu) == (run.placement, run.trace.gpu_to_gpu())
        for way in script.trace.ways().values()
    )
    where = (script.depth, script.gpus, script.file)
    if trace is None or (not agrees and (script.gap or script.fault or script.cut)):
        told = script.gap or script.fault or "it runs no such model to its end"
        return ScriptCheck(
            *where,
            None,
            told,
            replicated=script.replicated,
            where=listed(script.placed),
            hint=_NO_COPIES if script.replicated else None,
        )
    used = len(set(trace.placement()))
    certain = used in (1, script.gpus) and not script.asked
    alone = _layers(run.trace) if run else "none that runs"
    told = f"{_layers(trace)} in {script.file}, run whole; {alone} by the class alone"
    undone = run is not None and used == 1 < len(set(run.placement))
    return ScriptCheck(
        *where,
        agrees,
        told,
        certain=certain,
        where=listed(script.placed),
        hint=_UNDONE if undone else None,
    )


def words_for(check: ScriptCheck) -> str | None:
    """What to say of it beside a criterion that the script decides, or that is lost with it."""
    if check.replicated:
        return (
            f"{check.file} hands the model to nn.DataParallel, which copies all of it to every "
            "GPU; asked for are layers that are spread over them."
        )
    if check.agrees is False:
        return (
            f"What counts is the script: at depth {check.depth} on {check.gpus} GPUs, {check.told}."
        )
    return None


def _layers(trace: Trace) -> str:
    return f"{', '.join(map(str, trace.layers_per_gpu()))} layers per GPU"
