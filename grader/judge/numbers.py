"""Whether the numbers that a worker reported are right. Tolerances are relative errors.

Measured over 6,000 challenges (widths 17 to 39, 6 to 30 layers), float32 against float64: an
honest forward pass is off by 3e-7 in the median, 2.7e-6 in one of 1,000 and 4.4e-6 at worst;
three training steps by 1e-7 and 6e-7. Challenges on which float32 alone loses more than a fifth
of a tolerance are drawn again (one in 200). Leaving out or swapping layers, dropping a ReLU or
ignoring the input changes the output by 2e-2 at least, by 8e-1 in the median.

Over 8,000 trainings, gradients of an honest run are off by 6e-7 in the median and 3e-5 at worst;
what three steps change, by 2e-5 at worst beyond the rounding of the parameters themselves. One
training in 1,000 has a ReLU whose input is 0 but for rounding, and a gradient that is off by up to
8e-1; challenges that come near that are drawn again (one in 30).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from grader.checking.observations import Numbers
from grader.judge import challenge
from grader.judge.answers import ForwardAnswer, TrainAnswer, plain
from grader.judge.chain import Array, Chain, Trained, relative_error
from grader.judge.challenge import Challenge, Floats
from grader.judge.diagnosis import COARSE, NO_RELUS, ONCE, SAME_OUTPUT, X_FIRST, of_gradients
from grader.trace import Phase, Trace

TOLERANCE = 1e-5
LOSS_TOLERANCE = 1e-5
GRADIENT_TOLERANCE = 3e-4
MARGIN = 1e-6  # of what a ReLU is given from 0
SLIGHT = 1e-2  # less than any layer makes that is left out

#: Functions that no chain of Linear and ReLU layers uses: a model of another kind, written
#: without modules for them.
_OTHER_KINDS = frozenset(
    f"aten::{name}"
    for name in (
        *("add", "gelu", "silu", "tanh", "sigmoid", "elu", "leaky_relu", "hardtanh", "softplus"),
        *("native_layer_norm", "native_batch_norm", "native_dropout", "bernoulli_"),
    )
)

#: Of these, functions that flatten their input: twenty layers of them may forget it honestly.
_FLAT = frozenset(f"aten::{name}" for name in ("sigmoid", "tanh", "_softmax", "hardtanh"))


def without_reference(given: Challenge, seen: ForwardAnswer) -> Numbers | None:
    """What can be said of an output without knowing the right one; None: compare it."""
    if not np.isfinite(seen.output).all():
        return Numbers(
            False,
            "recomputed",
            "the output holds NaN or infinity",
            "Print the output after each layer: where does the first nan or inf come up? Look for "
            "divisions, log() and sqrt().",
        )
    if seen.dtype not in ("float32", "float64"):
        return Numbers(None, "", f"the output is {seen.dtype}, too coarse to be compared")
    if not given.weights:
        return Numbers(None, "", "the model has no registered parameters to give values to")
    return None


def is_comparable(given: Challenge, seen: ForwardAnswer) -> bool:
    """Whether the model can be told right from wrong by recomputing a chain."""
    return without_reference(given, seen) is None and not other_kinds(seen.trace)


def heeds_input(seen: ForwardAnswer, other: Floats) -> Numbers | None:
    """A verdict where two different inputs give the same output, else None."""
    if relative_error(seen.output, other) >= TOLERANCE:
        return None
    right = None if _names(seen.trace) & _FLAT else False
    return Numbers(right, "two inputs", SAME_OUTPUT, X_FIRST)


def matching(
    chains: Sequence[Chain], given: Challenge, output: Floats, other: Floats
) -> list[Chain]:
    """The chains whose outputs for both batches are those that were seen."""
    return [c for c in chains if _error(c, given, output, other) <= TOLERANCE]


def against_chains(
    chains: Sequence[Chain], given: Challenge, seen: ForwardAnswer, other: Floats
) -> Numbers:
    """Compare with the chains that the model may be; unsure where it may be something else."""
    how = "recomputed layer by layer"
    error = min(_error(c, given, seen.output, other) for c in chains)
    if error > TOLERANCE and (kinds := other_kinds(seen.trace)):
        return Numbers(None, how, f"the model also uses {', '.join(kinds)}")
    if error <= TOLERANCE:
        return Numbers(True, how)
    if error < float("inf") and relative_error(seen.output, other) < TOLERANCE:
        return Numbers(False, how, SAME_OUTPUT, X_FIRST)
    if _error(chains[0].without_relus(), given, seen.output, other) <= TOLERANCE:
        return Numbers(False, how, "the output that the Linear layers give without ReLUs", NO_RELUS)
    return verdict(error, how)


def other_kinds(trace: Trace) -> list[str]:
    """Functions of the forward pass that make the model no chain of Linear and ReLU layers."""
    return sorted(name.removeprefix("aten::") for name in _names(trace) & _OTHER_KINDS)


def _names(trace: Trace) -> set[str]:
    return {op.name for op in trace.ops if op.phase is Phase.FORWARD}


def verdict(error: float, how: str) -> Numbers:
    if error <= TOLERANCE:
        return Numbers(True, how)
    if error == float("inf"):
        return Numbers(False, how, "an output of another shape", "The output is as wide as x.")
    hint = COARSE if error < SLIGHT else ONCE
    return Numbers(False, how, f"an output that is {_off(error)} ({how})", hint)


def against_training(
    chains: Sequence[Chain], given: Challenge, names: Sequence[str], seen: TrainAnswer
) -> Numbers:
    """Compare losses, gradients and parameters with those of the chains that the model may be."""
    if not chains:
        return Numbers(None, "not recomputed: not a chain of Linear and ReLU layers")
    how = "recomputed step by step"
    verdicts = [same_training(challenge.trained(c, given), given, names, seen, how) for c in chains]
    return next((v for v in verdicts if v.right), verdicts[0])


def same_training(
    expected: Trained,
    given: Challenge,
    names: Sequence[str],
    seen: TrainAnswer,
    how: str,
) -> Numbers:
    """Whether a training went as expected: its losses, gradients, and parameters at the end."""
    pairs = zip(names, seen.gradients, expected.gradients, strict=True)
    lost = [
        plain(name, 100) for name, gradient, right in pairs if right.any() and not gradient.any()
    ]
    if (problem := of_gradients(lost)) is not None:
        return replace(problem, how=how)
    error = relative_error(np.array(seen.losses), expected.losses)
    if error > LOSS_TOLERANCE:
        return Numbers(False, how, f"losses that are {_off(error)} ({how})")
    for name, gradient, right in zip(names, seen.gradients, expected.gradients, strict=True):
        error = relative_error(gradient, right)
        if error > GRADIENT_TOLERANCE:
            what = f"a gradient of {plain(name, 100)}"
            return Numbers(False, how, f"{what} that is {_off(error)} ({how})")
    states = zip(names, given.weights, seen.parameters, expected.parameters, strict=True)
    for name, before, after, right in states:
        error = _error_of_change(before, after, right, given.steps)
        if error > GRADIENT_TOLERANCE:
            what = f"after {given.steps} steps, a change of {plain(name, 100)}"
            return Numbers(False, how, f"{what} that is {_off(error)} ({how})")
    return Numbers(True, how)


def without_gradient(names: Sequence[str], seen: TrainAnswer) -> str | None:
    """The first layer that learns nothing, where there is no right gradient to compare with."""
    pairs = zip(names, seen.gradients, strict=True)
    return next((plain(name, 100) for name, g in pairs if g.ndim > 1 and not g.any()), None)


def _error_of_change(before: Array, after: Array, right: Array, steps: int) -> float:
    """How far a change is off beyond the rounding of each step's result, relative to the change."""
    if not np.isfinite(after).all():
        return float("inf")
    change = float(np.abs(right - before).max(initial=0.0))
    rounding = steps * 2.0**-24 * float(np.abs([before, right]).max(initial=0.0))
    beyond = max(0.0, float(np.abs(after - right).max(initial=0.0)) - rounding)
    return beyond / change if change else (float("inf") if beyond else 0.0)


def _error(chain: Chain, given: Challenge, output: Floats, other: Floats) -> float:
    pairs = ((given.batch, output), (given.other_batch, other))
    return max(relative_error(out, chain.forward(given.weights, x)) for x, out in pairs)


def _off(error: float) -> str:
    if error == float("inf"):
        return "not finite"
    if error >= 2:
        return f"off by {error:.0f} times its size"
    return f"off by {error:.1%}" if error >= 1e-3 else f"off by {error:.1g} times its size"
