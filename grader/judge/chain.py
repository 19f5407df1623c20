"""The reference arithmetic: a chain of Linear and ReLU layers, forward and SGD, in float64."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]  # what comes in
Doubles = NDArray[np.float64]
DType = type[np.float32] | type[np.float64]


@dataclass(frozen=True)
class Linear:
    """x @ weight.T + bias, by the positions of both among the model's parameters."""

    weight: int
    bias: int | None


@dataclass(frozen=True)
class Relu:
    pass


@dataclass(frozen=True)
class Trained:
    """What a few steps of plain SGD on the mean squared error come to.

    `losses` are those before each step, `gradients` (in the parameters' order) those of the first
    step, `parameters` what is left after the last. `margin` is the smallest distance of what a
    ReLU was given from 0, relative to the largest value there: where it is within rounding,
    another rounding gives another gradient.
    """

    losses: Array
    gradients: Sequence[Array]
    parameters: Sequence[Array]
    margin: float = float("inf")


@dataclass(frozen=True)
class Chain:
    """Layers in the order in which they must run."""

    steps: tuple[Linear | Relu, ...]

    def fits(self, shapes: Sequence[tuple[int, ...]], width: int) -> bool:
        """Whether parameters of these shapes lead from `width` values to as many."""
        now = width
        for step in self.steps:
            if isinstance(step, Linear):
                if len(shapes[step.weight]) != 2 or shapes[step.weight][1] != now:
                    return False
                now = shapes[step.weight][0]
                if step.bias is not None and shapes[step.bias] != (now,):
                    return False
        return now == width

    def forward(self, parameters: Sequence[Array], x: Array, dtype: DType = np.float64) -> Doubles:
        """x: (batch, width) -> (batch, width)."""
        with np.errstate(all="ignore"):
            output: Doubles = self._activations([np.asarray(p, dtype) for p in parameters], x)[-1]
        return output

    def train(
        self,
        parameters: Sequence[Array],
        x: Array,
        y: Array,
        *,
        steps: int,
        rate: float,
        dtype: DType = np.float64,
    ) -> Trained:
        """`steps` steps of SGD from these parameters."""
        values: list[Any] = [np.array(p, dtype) for p in parameters]
        losses, margin = [], float("inf")
        first: list[Any] = []
        with np.errstate(all="ignore"):
            for _ in range(steps):
                states = self._activations(values, x)
                difference = states[-1] - np.asarray(y, dtype)
                losses.append(np.mean(difference**2))
                margin = min(margin, self._nearest(states))
                gradients = self._gradients(values, states, 2 * difference / difference.size)
                first = first or gradients
                values = [v - dtype(rate) * g for v, g in zip(values, gradients, strict=True)]
        return Trained(np.array(losses), first, values, margin)

    def without_relus(self) -> Chain:
        """The same layers with nothing between them."""
        return Chain(tuple(step for step in self.steps if step != Relu()))

    def rounding(self, parameters: Sequence[Array], x: Array) -> float:
        """How far float32 is off by itself, as a relative error."""
        coarse, exact = (self.forward(parameters, x, dtype) for dtype in (np.float32, np.float64))
        return relative_error(coarse, exact)

    def margin(self, parameters: Sequence[Array], x: Array) -> float:
        """How near the inputs of ReLUs come to 0, relative to the largest of each."""
        with np.errstate(all="ignore"):
            return self._nearest(self._activations([np.asarray(p, float) for p in parameters], x))

    def _activations(self, parameters: Sequence[Any], x: Array) -> list[Any]:
        states: list[Any] = [np.asarray(x, parameters[0].dtype)]
        for step in self.steps:
            state = states[-1]
            if isinstance(step, Linear):
                state = state @ parameters[step.weight].T
                if step.bias is not None:
                    state = state + parameters[step.bias]
            else:
                state = np.maximum(state, 0)
            states.append(state)
        return states

    def _nearest(self, states: list[Any]) -> float:
        sizes = [
            np.abs(state) for step, state in zip(self.steps, states, strict=False) if step == Relu()
        ]
        return min((float(s.min() / s.max()) for s in sizes), default=float("inf"))

    def _gradients(self, values: list[Any], states: list[Any], gradient: Any) -> list[Any]:
        """Backpropagation from the output's gradient; a layer's input is the state before it."""
        found: list[Any] = [None] * len(values)
        for step, before, after in reversed(
            list(zip(self.steps, states[:-1], states[1:], strict=True))
        ):
            if isinstance(step, Relu):
                gradient = gradient * (after > 0)
                continue
            found[step.weight] = gradient.T @ before
            if step.bias is not None:
                found[step.bias] = gradient.sum(axis=0)
            gradient = gradient @ values[step.weight]
        return found


def possible_chains(
    modules: Sequence[tuple[str, str]], parameters: Sequence[tuple[str, tuple[int, ...]]]
) -> list[Chain]:
    """The chains that a model with these leaf modules and parameters may honestly be.

    Both come in the order in which the code put them together. Where Linear and ReLU modules
    take turns, there is one answer; where the activation is a function, one shared module or a
    list of its own, a ReLU may stand after every layer or between layers only. Empty: not a
    Linear/ReLU chain.
    """
    kinds = [kind for _, kind in modules if kind != "Identity"]
    if not set(kinds) <= {"Linear", "ReLU"} or "Linear" not in kinds:
        return []
    position = {name: i for i, (name, _) in enumerate(parameters)}
    linears = []
    for path, kind in modules:
        if kind == "Linear":
            weight = position.pop(f"{path}.weight", None)
            if weight is None:
                return []  # shared with another layer
            linears.append(Linear(weight, position.pop(f"{path}.bias", None)))
    if position:
        return []  # parameters that belong to no Linear
    relus = kinds.count("ReLU")
    if relus > 1 and not any(kind == other for kind, other in itertools.pairwise(kinds)):
        own = iter(linears)
        return [Chain(tuple(next(own) if kind == "Linear" else Relu() for kind in kinds))]
    between = [step for linear in linears for step in (linear, Relu())]
    chains = [Chain(tuple(between)), Chain(tuple(between[:-1]))]
    return chains if relus else [*chains, Chain(tuple(linears))]


def relative_error(seen: Array, expected: Array) -> float:
    """Largest difference over largest value; infinite for another shape, NaN or infinity."""
    if seen.shape != expected.shape or not np.isfinite(seen).all():
        return float("inf")
    scale = float(np.abs(expected).max(initial=0.0)) or 1.0
    return float(np.abs(seen - expected).max(initial=0.0)) / scale
