"""Sizes, weights and data of one probe, drawn at random after the worker has started.

Weights are He-scaled and biases are not zero: with PyTorch's default initialisation twenty
layers forget their input, and a check on them would be empty.
"""

from __future__ import annotations

import hashlib
import math
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.judge.chain import Chain, DType, Trained, relative_error

Floats = NDArray[np.float32]
Shape = tuple[int, ...]


def fresh_seed() -> str:
    """A seed that no student can foresee."""
    return secrets.token_hex(16)


def generator(seed: str, submission: str = "") -> np.random.Generator:
    """The randomness of one hand-in: the same for the same seed, unlike any other hand-in's."""
    digest = hashlib.sha256(f"{seed}\n{submission}".encode("utf-8", "surrogatepass")).digest()
    return np.random.default_rng(int.from_bytes(digest, "big"))


def draw_width(random: np.random.Generator) -> int:
    return int(random.integers(17, 40))


@dataclass(frozen=True)
class Challenge:
    """What one probe is given. Batch and target have shape (batch, width)."""

    batch: Floats
    other_batch: Floats
    target: Floats
    weights: list[Floats]
    seed: int
    steps: int = 3
    rate: float = 1e-3  # at 1e-2 one of 600 trainings blew up


def draw_settled(
    random: np.random.Generator,
    width: int,
    parameters: Sequence[tuple[str, Shape]],
    chains: Sequence[Chain],
    *,
    rounding: float,
    margin: float = 0.0,
) -> Challenge:
    """A challenge on which float32 gives what float64 gives, within a relative `rounding`.

    Where an output is small by cancellation, honest rounding is a large part of it. Inputs of
    ReLUs keep a relative `margin` from 0, where their gradient jumps.
    """
    for _ in range(100):
        given = draw(random, width, parameters)
        if all(_is_settled(c, given, rounding, margin) for c in chains):
            break
    return given


def _is_settled(chain: Chain, given: Challenge, rounding: float, margin: float) -> bool:
    if chain.margin(given.weights, given.batch) < margin:
        return False
    batches = (given.batch, given.other_batch)
    return all(chain.rounding(given.weights, x) <= rounding for x in batches)


def with_steady_rate(
    given: Challenge, chains: Sequence[Chain], *, rounding: float, margin: float = 0.0
) -> Challenge:
    """The challenge with the largest learning rate at which training stays steady."""
    for exponent in range(3, 13):
        slower = replace(given, rate=10.0**-exponent)
        if all(_is_steady(c, slower, rounding, margin) for c in chains):
            return slower
    return given


def trained(chain: Chain, given: Challenge, dtype: DType = np.float64) -> Trained:
    """What training `chain` on the challenge comes to."""
    return chain.train(
        given.weights, given.batch, given.target, steps=given.steps, rate=given.rate, dtype=dtype
    )


def _is_steady(chain: Chain, given: Challenge, rounding: float, margin: float) -> bool:
    exact, coarse = trained(chain, given), trained(chain, given, np.float32)
    tame = exact.losses.max() <= 2 * exact.losses[0] and exact.margin >= margin
    return bool(tame) and relative_error(coarse.losses, exact.losses) <= rounding


def draw(
    random: np.random.Generator, width: int, parameters: Sequence[tuple[str, Shape]]
) -> Challenge:
    """A challenge for a model with these parameters."""
    shape = (int(random.integers(5, 12)), width)
    batch, other, target = (_floats(random.standard_normal(shape)) for _ in range(3))
    weights = [_floats(_weight(random, name, s)) for name, s in parameters]
    return Challenge(batch, other, target, weights, seed=int(random.integers(1, 2**31)))


def _weight(random: np.random.Generator, name: str, shape: Shape) -> NDArray[Any]:
    if len(shape) >= 2:
        return random.standard_normal(shape) * math.sqrt(2 / math.prod(shape[1:]))
    around = 0.0 if name.endswith("bias") else 1.0  # a norm layer's weight stays near 1
    return around + 0.1 * random.standard_normal(shape)


def _floats(values: NDArray[Any]) -> Floats:
    return np.ascontiguousarray(values, dtype=np.float32)
