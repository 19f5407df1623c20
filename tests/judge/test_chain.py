"""The reference arithmetic against torch's, and which chains a model may be."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from grader.judge.chain import Chain, Linear, Relu, possible_chains, relative_error


def parameters(random, shapes):
    return [random.standard_normal(shape) * 0.4 for shape in shapes]


CHAINS = {
    "relu after every layer": ((Linear(0, 1), Relu(), Linear(2, 3), Relu()), True),
    "relu between layers": ((Linear(0, 1), Relu(), Linear(2, 3)), True),
    "no relu": ((Linear(0, 1), Linear(2, 3)), True),
    "no bias": ((Linear(0, None), Relu(), Linear(1, None), Relu()), False),
    "another order": ((Linear(2, 3), Relu(), Linear(0, 1), Relu()), True),
}


@pytest.mark.parametrize(("steps", "biases"), CHAINS.values(), ids=CHAINS)
def test_a_chain_computes_and_trains_as_torch_does(steps, biases):
    random = np.random.default_rng(3)
    width = 6
    values = parameters(random, [(width, width), (width,)] * 2 if biases else [(width, width)] * 2)
    x, y = random.standard_normal((2, 5, width))
    chain = Chain(steps)
    tensors = [torch.tensor(v, requires_grad=True) for v in values]
    optimizer = torch.optim.SGD(tensors, lr=0.05)
    losses, gradients = [], []
    for step in range(4):
        out = torch.tensor(x)
        for layer in steps:
            if isinstance(layer, Relu):
                out = torch.relu(out)
            else:
                bias = None if layer.bias is None else tensors[layer.bias]
                out = torch.nn.functional.linear(out, tensors[layer.weight], bias)
        if step == 0:
            np.testing.assert_allclose(chain.forward(values, x), out.detach(), rtol=1e-12)
        loss = torch.nn.functional.mse_loss(out, torch.tensor(y))
        optimizer.zero_grad()
        loss.backward()
        gradients = gradients or [t.grad.numpy().copy() for t in tensors]
        optimizer.step()
        losses.append(loss.item())
    seen = chain.train(values, x, y, steps=4, rate=0.05)
    np.testing.assert_allclose(seen.losses, losses, rtol=1e-12)
    for found, right in zip(seen.gradients, gradients, strict=True):
        np.testing.assert_allclose(found, right, rtol=1e-9, atol=1e-14)
    for found, tensor in zip(seen.parameters, tensors, strict=True):
        np.testing.assert_allclose(found, tensor.detach(), rtol=1e-12)
    assert losses[0] != losses[-1]


def test_overflow_is_infinite_and_silent():
    chain = Chain((Linear(0, None),))
    huge = [np.full((2, 2), 1e30)]
    x = np.ones((1, 2))
    seen = chain.train(huge, x, x, steps=3, rate=1.0, dtype=np.float32)
    assert not np.isfinite(seen.losses[-1])


def test_the_margin_is_the_nearest_input_of_a_relu_to_0():
    chain = Chain((Linear(0, None), Relu(), Linear(1, None)))
    values = [np.diag([1.0, -4.0]), np.eye(2)]
    assert chain.margin(values, np.array([[0.01, 1.0]])) == pytest.approx(0.01 / 4)
    trained = chain.train(values, np.array([[0.01, 1.0]]), np.ones((1, 2)), steps=1, rate=0.1)
    assert trained.margin == pytest.approx(0.01 / 4)
    assert Chain((Linear(0, None),)).margin(values, np.ones((1, 2))) == float("inf")


def model_of(*kinds):
    """Leaf modules of these kinds, and the parameters of the Linear ones, 4 wide."""
    modules = [(f"m.{i}", kind) for i, kind in enumerate(kinds)]
    names = [path for path, kind in modules if kind == "Linear"]
    return modules, [p for n in names for p in ((f"{n}.weight", (4, 4)), (f"{n}.bias", (4,)))]


A, B = Linear(0, 1), Linear(2, 3)
BOTH = [(A, Relu(), B, Relu()), (A, Relu(), B)]


@pytest.mark.parametrize(
    ("kinds", "chains"),
    [
        ("Linear ReLU Linear ReLU", [(A, Relu(), B, Relu())]),
        ("Linear ReLU Identity Linear ReLU", [(A, Relu(), B, Relu())]),
        ("ReLU Linear ReLU Linear", [(Relu(), A, Relu(), B)]),
        ("Linear ReLU Linear", BOTH),  # one that may be shared
        ("ReLU Linear Linear", BOTH),
        ("Linear Linear ReLU ReLU", BOTH),  # lists apart
        ("Linear Linear", [*BOTH, (A, B)]),  # a function, or none
        ("Linear GELU Linear GELU", []),
        ("Linear LayerNorm ReLU", []),
        ("other", []),
        ("ReLU", []),
        ("", []),
    ],
)
def test_the_chains_that_a_model_may_be(kinds, chains):
    found = possible_chains(*model_of(*kinds.split()))
    assert [chain.steps for chain in found] == chains


def test_parameters_decide_too():
    modules, values = model_of("Linear", "Linear")
    assert possible_chains(modules, [*values, ("scale", (1,))]) == []
    assert possible_chains(modules, values[:2]) == []  # both layers share one weight
    no_bias = [values[0], values[2]]
    assert possible_chains(modules, no_bias)[2].steps == (Linear(0, None), Linear(1, None))


@pytest.mark.parametrize(
    ("shapes", "fits"),
    [
        ([(4, 4), (4,), (4, 4), (4,)], True),
        ([(9, 4), (9,), (4, 9), (4,)], True),
        ([(4, 5), (4,), (4, 4), (4,)], False),
        ([(9, 4), (9,), (4, 4), (4,)], False),
        ([(4, 4), (5,), (4, 4), (4,)], False),
        ([(4, 4), (4,), (5, 4), (5,)], False),
        ([(4,), (4,), (4, 4), (4,)], False),
    ],
)
def test_shapes_that_do_not_lead_through_are_no_chain(shapes, fits):
    assert Chain((A, Relu(), B)).fits(shapes, 4) is fits


def test_relative_errors():
    ones = np.ones((2, 3))
    assert relative_error(ones, ones) == 0
    assert relative_error(ones * 1.1, ones) == pytest.approx(0.1)
    assert relative_error(ones, np.zeros((2, 3))) == 1
    for wrong in (ones[:1], ones * np.nan, ones * np.inf):
        assert relative_error(wrong, ones) == float("inf")
