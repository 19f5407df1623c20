"""Automatic mixed precision, as on CUDA."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from grader import vgpu


def test_dtypes() -> None:
    layer, x = nn.Linear(8, 8).to("cuda:1"), torch.randn(4, 8, device="cuda:1")
    with torch.autocast("cuda", dtype=torch.float16):
        y = layer(x)
        assert y.dtype == torch.float16
        assert torch.softmax(y, -1).dtype == torch.float32
        assert F.mse_loss(y, y).dtype == torch.float32
        with torch.autocast("cuda", enabled=False):
            assert layer(x).dtype == torch.float32
    with torch.autocast("cuda", dtype=torch.bfloat16):
        assert layer(x).dtype == torch.bfloat16
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert layer(x).dtype == torch.float32
    assert layer(x).dtype == torch.float32
    y.float().sum().backward()
    assert layer.weight.grad.dtype == torch.float32


def test_half_precision_gives_the_cpus_numbers() -> None:
    layer, x = nn.Linear(8, 8), torch.randn(4, 8)
    expected = F.linear(x.half(), layer.weight.half(), layer.bias.half())
    layer.to("cuda:1")
    with torch.autocast("cuda"):
        assert torch.equal(layer(x.cuda(1)).cpu(), expected)


def test_the_scaler_trains_over_two_gpus() -> None:
    layers = [nn.Linear(8, 8).to(f"cuda:{i}") for i in range(2)]
    parameters = [p for layer in layers for p in layer.parameters()]
    optimizer = torch.optim.SGD(parameters, lr=0.1)
    scaler = torch.amp.GradScaler("cuda")
    x, y = torch.randn(16, 8, device="cuda:0"), torch.randn(16, 8, device="cuda:1")
    losses = []
    for _ in range(20):
        optimizer.zero_grad()
        with torch.autocast("cuda", dtype=torch.float16):
            loss = F.mse_loss(layers[1](layers[0](x).to("cuda:1")), y)
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_(parameters, 1.0)
        scaler.step(optimizer)
        scaler.update()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]
    assert vgpu.trace().losses == losses
    assert scaler.get_scale() == 65536.0


def test_the_scaler_skips_a_step_that_overflows() -> None:
    w = nn.Parameter(torch.ones(2, device="cuda:1"))
    optimizer = torch.optim.SGD([w], lr=0.1)
    scaler = torch.amp.GradScaler("cuda")
    scaler.scale((w * float("inf")).sum()).backward()
    scaler.step(optimizer)
    scaler.update()
    assert w.tolist() == [1.0, 1.0]
    assert scaler.get_scale() == 32768.0
