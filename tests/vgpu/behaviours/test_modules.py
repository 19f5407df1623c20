"""Modules keep their parameters, whoever holds them, when they move."""

from __future__ import annotations

import weakref

import torch
from torch import nn

D = torch.device


def test_parameters_stay_the_same_objects() -> None:
    model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Linear(8, 2))
    weight = model[0].weight
    seen = weakref.ref(weight)
    values = weight.detach().clone()
    for device in ("cuda:1", "cuda:2", "cpu", 3):
        model.to(device)
        assert model[0].weight is weight
        assert isinstance(weight, nn.Parameter)
        assert weight.device == torch.device(device)
        assert model[1].running_mean.device == torch.device(device)
        assert torch.equal(weight.cpu(), values)
    assert seen() is weight
    model.cuda()
    assert weight.device == D("cuda:0")


def test_to_takes_dtype_and_device() -> None:
    model = nn.Linear(2, 2).to("cuda:3", torch.float64)
    assert (model.weight.device, model.weight.dtype) == (D("cuda:3"), torch.float64)
    assert model.half().weight.dtype == torch.float16
    assert nn.Linear(2, 2, device="cuda:4").bias.device == D("cuda:4")


def test_an_optimizer_built_before_the_move_follows() -> None:
    model = nn.Linear(4, 4)
    optimizer = torch.optim.Adam(model.parameters())
    model.cuda(2)
    model(torch.ones(2, 4).cuda(2)).sum().backward()
    before = model.weight.tolist()
    optimizer.step()
    assert model.weight.tolist() != before
    assert optimizer.state[model.weight]["exp_avg"].device == D("cuda:2")


def test_gradients_move_with_the_module() -> None:
    model = nn.Linear(2, 2)
    model(torch.ones(1, 2)).sum().backward()
    for device in ("cuda:0", "cuda:1", "cpu"):
        model.to(device)
        assert model.weight.grad.device == D(device)
        assert model.weight.grad.tolist() == [[1, 1], [1, 1]]


def test_a_module_moves_while_its_graph_lives() -> None:
    model = nn.Linear(4, 4).to("cuda:0")
    out = model(torch.randn(2, 4, device="cuda:0")).sum()
    model.to("cuda:1")
    assert (model.weight.device, out.device) == (D("cuda:1"), D("cuda:0"))


def test_hooks_can_move_data() -> None:
    layer = nn.Linear(3, 3).cuda(0)
    layer.register_forward_hook(lambda module, args, out: out.to("cuda:2"))
    assert layer(torch.ones(1, 3, device="cuda:0")).device == D("cuda:2")


def test_buffers_and_state_dict() -> None:
    model = nn.Module()
    model.register_buffer("mask", torch.ones(3, device="cuda:4"))
    model.layer = nn.Linear(3, 3, device="cuda:2")
    assert {k: str(v.device) for k, v in model.state_dict().items()} == {
        "mask": "cuda:4",
        "layer.weight": "cuda:2",
        "layer.bias": "cuda:2",
    }
    other = nn.Linear(3, 3)
    other.load_state_dict(model.layer.state_dict())
    assert torch.equal(other.weight, model.layer.weight.cpu())
