"""Challenges are random, tell right from wrong, and never fail honest rounding."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from grader.judge import challenge as drawing
from grader.judge.chain import Chain, Linear, Relu, relative_error
from grader.judge.numbers import LOSS_TOLERANCE, TOLERANCE

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
        random, width, parameters(depth, width), [chain], rounding=TOLERANCE / 5
    )
    return drawing.with_steady_rate(given, [chain], rounding=LOSS_TOLERANCE / 5)


def run_in_torch(given, relu, weights=None):
    """(output, losses) of an honest float32 run."""
    values = [torch.tensor(w, requires_grad=True) for w in given.weights]
    optimizer = torch.optim.SGD(values, lr=given.rate)
    losses, outputs = [], []
    for _ in range(given.steps):
        x = torch.tensor(given.batch)
        for w, b in zip(values[::2], values[1::2], strict=True):
            x = torch.nn.functional.linear(x, w, b)
            x = torch.relu(x) if relu else x
        outputs.append(x.detach().numpy())
        loss = torch.nn.functional.mse_loss(x, torch.tensor(given.target))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    moved = any((v.detach().numpy() != w).any() for v, w in zip(values, given.weights, strict=True))
    return outputs[0], losses, moved


@pytest.mark.parametrize(("depth", "relu"), [(20, True), (30, True), (6, True), (20, False)])
def test_honest_runs_always_pass(depth, relu):
    random, chain = np.random.default_rng(depth), chain_of(depth, relu)
    for _ in range(DRAWS):
        given = drawn(random, depth, chain)
        output, losses, moved = run_in_torch(given, relu)
        assert relative_error(output, chain.forward(given.weights, given.batch)) < TOLERANCE / 2
        expected = drawing.losses(chain, given)
        assert relative_error(np.array(losses), expected) < LOSS_TOLERANCE / 2
        assert moved


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
        frozen = np.full(given.steps, drawing.losses(chain, given)[0])
        assert relative_error(frozen, drawing.losses(chain, given)) > LOSS_TOLERANCE


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
