"""Challenges are random, tell right from wrong, and never fail honest rounding."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from grader.judge import challenge as drawing
from grader.judge.answers import TrainAnswer
from grader.judge.chain import Chain, Linear, Relu, relative_error
from grader.judge.numbers import (
    GRADIENT_TOLERANCE,
    LOSS_TOLERANCE,
    MARGIN,
    TOLERANCE,
    against_training,
)
from grader.trace import Trace

DRAWS = 40


def parameters(depth, width):
    shapes = {"weight": (width, width), "bias": (width,)}
    return [(f"{i}.{name}", shape) for i in range(depth) for name, shape in shapes.items()]


def chain_of(depth, relu=True):
    steps = [[Linear(2 * i, 2 * i + 1), *([Relu()] if relu else [])] for i in range(depth)]
    return Chain(tuple(s for step in steps for s in step))


def drawn(random, depth, chain):
    width = drawing.draw_width(random)
    given = drawing.draw_settled(
        random, width, parameters(depth, width), [chain], rounding=TOLERANCE / 5, margin=MARGIN
    )
    return drawing.with_steady_rate(given, [chain], rounding=LOSS_TOLERANCE / 5, margin=MARGIN)


def run_in_torch(given, relu, weights=None):
    """The output and the training of an honest float32 run."""
    values = [torch.tensor(w, requires_grad=True) for w in given.weights]
    optimizer = torch.optim.SGD(values, lr=given.rate)
    losses, outputs, gradients = [], [], []
    for _ in range(given.steps):
        x = torch.tensor(given.batch)
        for w, b in zip(values[::2], values[1::2], strict=True):
            x = torch.nn.functional.linear(x, w, b)
            x = torch.relu(x) if relu else x
        outputs.append(x.detach().numpy())
        loss = torch.nn.functional.mse_loss(x, torch.tensor(given.target))
        optimizer.zero_grad()
        loss.backward()
        gradients = gradients or [v.grad.numpy().copy() for v in values]
        optimizer.step()
        losses.append(loss.item())
    left = [v.detach().numpy() for v in values]
    return outputs[0], TrainAnswer(Trace(1), losses, gradients, left)


def verdict(chain, given, seen):
    names = [name for name, _ in parameters(len(given.weights) // 2, 0)]
    return against_training([chain], given, names, seen)


@pytest.mark.parametrize(("depth", "relu"), [(20, True), (30, True), (6, True), (20, False)])
def test_honest_runs_always_pass(depth, relu):
    random, chain = np.random.default_rng(depth), chain_of(depth, relu)
    for _ in range(DRAWS):
        given = drawn(random, depth, chain)
        output, seen = run_in_torch(given, relu)
        assert relative_error(output, chain.forward(given.weights, given.batch)) < TOLERANCE / 2
        expected = drawing.trained(chain, given)
        assert relative_error(np.array(seen.losses), expected.losses) < LOSS_TOLERANCE / 2
        for gradient, right in zip(seen.gradients, expected.gradients, strict=True):
            assert relative_error(gradient, right) < GRADIENT_TOLERANCE / 3
        assert verdict(chain, given, seen).right
        assert any((now != w).any() for now, w in zip(seen.parameters, given.weights, strict=True))


def test_wrong_training_never_passes():
    random, depth = np.random.default_rng(11), 20
    chain = chain_of(depth)
    for _ in range(DRAWS // 4):
        given = drawn(random, depth, chain)
        _, honest = run_in_torch(given, True)
        i = int(random.integers(2 * depth))
        spoilt = {
            "a gradient is a bit smaller": ("gradients", honest.gradients[i] * 0.99),
            "a gradient does not come": ("gradients", honest.gradients[i] * 0),
            "a gradient is not a number": ("gradients", honest.gradients[i] * np.nan),
            "a parameter stays": ("parameters", given.weights[i]),
            "a parameter is not a number": ("parameters", given.weights[i] * np.nan),
        }
        for name, (which, value) in spoilt.items():
            values = [value if k == i else v for k, v in enumerate(getattr(honest, which))]
            told = verdict(chain, given, replace(honest, **{which: values}))
            assert told.right is False, name
            parameter = f"{i // 2}.{'bias' if i % 2 else 'weight'}"
            if name == "a gradient does not come":
                assert told.problem == f"no gradient reaches self[{parameter.replace('.', '].')}"
            else:
                assert f" {parameter} that is " in told.problem


def test_wrong_models_never_pass():
    random, depth = np.random.default_rng(5), 20
    chain = chain_of(depth)
    for _ in range(DRAWS):
        given = drawn(random, depth, chain)
        right = chain.forward(given.weights, given.batch)
        i = 2 * int(random.integers(0, depth - 1))
        s = chain.steps
        wrong = {
            "skips a layer": Chain(s[:i] + s[i + 2 :]),
            "drops a ReLU": Chain(s[: i + 1] + s[i + 2 :]),
            "swaps two layers": Chain((*s[:i], s[i + 2], s[i + 1], s[i], *s[i + 3 :])),
        }
        for name, other in wrong.items():
            error = relative_error(other.forward(given.weights, given.batch), right)
            assert error > 100 * TOLERANCE, name
        zeros = chain.forward(given.weights, np.zeros_like(given.batch))
        assert relative_error(zeros, right) > 100 * TOLERANCE
        frozen = np.full(given.steps, drawing.trained(chain, given).losses[0])
        assert relative_error(frozen, drawing.trained(chain, given).losses) > LOSS_TOLERANCE


def test_no_two_challenges_are_alike():
    one, two = (
        drawing.draw(drawing.generator(drawing.fresh_seed()), 20, parameters(2, 20))
        for _ in range(2)
    )
    assert not np.array_equal(one.weights[0], two.weights[0])
    assert one.seed != two.seed
    assert {drawing.draw_width(drawing.generator(drawing.fresh_seed())) for _ in range(60)} <= set(
        range(17, 40)
    )


def test_weights_suit_their_kind():
    shapes = [("l.weight", (30, 40)), ("l.bias", (30,)), ("norm.weight", (400,))]
    weight, bias, norm = drawing.draw(drawing.generator(drawing.fresh_seed()), 40, shapes).weights
    assert weight.std() == pytest.approx((2 / 40) ** 0.5, rel=0.2)
    assert 0.02 < abs(bias).mean() < 0.2
    assert norm.mean() == pytest.approx(1, abs=0.05)
    assert {a.dtype for a in (weight, bias, norm)} == {np.dtype(np.float32)}


def test_a_seed_gives_each_hand_in_draws_of_its_own():
    shapes = parameters(2, 20)

    def drawn(seed, submission):
        return drawing.draw(drawing.generator(seed, submission), 20, shapes).batch

    assert (drawn("a", "ann") == drawn("a", "ann")).all()
    assert drawn("a", "ann").tobytes() != drawn("a", "ben").tobytes()
    assert drawn("a", "ann").tobytes() != drawn("b", "ann").tobytes()
    assert drawing.fresh_seed() != drawing.fresh_seed()
