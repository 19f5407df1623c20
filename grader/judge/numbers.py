"""Whether the numbers that a worker reported are right. Tolerances are relative errors.

Measured over 6,000 challenges (widths 17 to 39, 6 to 30 layers), float32 against float64: an
honest forward pass is off by 3e-7 in the median, 2.7e-6 in one of 1,000 and 4.4e-6 at worst;
three training steps by 1e-7 and 6e-7. Challenges on which float32 alone loses more than a fifth
of a tolerance are drawn again (one in 200). Leaving out or swapping layers, dropping a ReLU or
ignoring the input changes the output by 2e-2 at least, by 8e-1 in the median.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from grader.checking.observations import Numbers
from grader.judge import challenge
from grader.judge.answers import ForwardAnswer
from grader.judge.chain import Chain, relative_error
from grader.judge.challenge import Challenge, Floats
from grader.trace import Phase, Trace

TOLERANCE = 1e-5
LOSS_TOLERANCE = 1e-5

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
        return Numbers(False, "recomputed", "the output holds NaN or infinity")
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
    problem = "two different inputs give the same output"
    return Numbers(None if _names(seen.trace) & _FLAT else False, "two inputs", problem)


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
    return verdict(error, how)


def other_kinds(trace: Trace) -> list[str]:
    """Functions of the forward pass that make the model no chain of Linear and ReLU layers."""
    return sorted(name.removeprefix("aten::") for name in _names(trace) & _OTHER_KINDS)


def _names(trace: Trace) -> set[str]:
    return {op.name for op in trace.ops if op.phase is Phase.FORWARD}


def verdict(error: float, how: str) -> Numbers:
    if error <= TOLERANCE:
        return Numbers(True, how)
    off = "has another shape" if error == float("inf") else f"is off by {_share(error)}"
    return Numbers(False, how, f"an output that {off} ({how})")


def losses(chains: Sequence[Chain], given: Challenge, seen: Sequence[float]) -> Numbers:
    """Compare the losses of training with those of the chains that the model may be."""
    if not chains:
        return Numbers(None, "not recomputed: not a chain of Linear and ReLU layers")
    how = "recomputed step by step"
    error = min(relative_error(np.array(seen), challenge.losses(c, given)) for c in chains)
    if error > LOSS_TOLERANCE:
        return Numbers(False, how, f"losses that are off by {_share(error)} ({how})")
    return Numbers(True, how)


def _error(chain: Chain, given: Challenge, output: Floats, other: Floats) -> float:
    pairs = ((given.batch, output), (given.other_batch, other))
    return max(relative_error(out, chain.forward(given.weights, x)) for x, out in pairs)


def _share(error: float) -> str:
    return f"{error:.1%}" if error >= 1e-3 else f"{error:.1g} of its size"
