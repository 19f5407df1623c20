"""Home Work 3 checked as one would with pytest alone: student code runs in the checks' own process.

The folder of the hand-in is in HAND_IN. Careful otherwise: random data, numbers compared with a
reference, every device looked at.
"""

import copy
import importlib
import os
import sys

import pytest
import torch

from grader import vgpu

vgpu.install(5)
sys.path.insert(0, os.environ["HAND_IN"])
DIM, DEPTH = 32, 20


@pytest.fixture
def model():
    return importlib.import_module("hw3").LargeLinearModelMP(DIM, DEPTH)


def reference(model, x):
    for layer in model.layers:
        x = torch.relu(x @ layer[0].weight.detach().cpu().T + layer[0].bias.detach().cpu())
    return x


def test_every_gpu_holds_layers(model):
    devices = [next(layer.parameters()).device for layer in model.layers]
    assert sorted({d.index for d in devices}) == list(range(torch.cuda.device_count()))
    assert {d.type for d in devices} == {"cuda"}


def test_layers_are_spread_evenly(model):
    indices = [next(layer.parameters()).device.index for layer in model.layers]
    counts = [indices.count(index) for index in range(torch.cuda.device_count())]
    assert len(indices) == DEPTH
    assert max(counts) - min(counts) <= 1


def test_the_output_is_right(model):
    x = torch.randn(8, DIM)
    expected = reference(model, x)
    output = model(x.to("cuda:0"))
    assert tuple(output.shape) == (8, DIM)
    assert torch.allclose(output.detach().cpu(), expected, rtol=1e-4, atol=1e-6)


def test_training_lowers_the_loss(model):
    before = copy.deepcopy([p.detach().cpu() for p in model.parameters()])
    x, target = torch.randn(8, DIM), torch.randn(8, DIM)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    losses = []
    for _ in range(3):
        optimizer.zero_grad()
        output = model(x.to("cuda:0"))
        loss = torch.nn.functional.mse_loss(output, target.to(output.device))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    assert any(not torch.equal(p.cpu(), b) for p, b in zip(model.parameters(), before, strict=True))
