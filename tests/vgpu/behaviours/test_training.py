"""Numbers are the CPU's, bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
import torch
from models import even, host, round_robin, train
from torch import nn
from torch.nn import functional as F

OPTIMIZERS = {
    "sgd": partial(torch.optim.SGD, lr=0.05),
    "momentum": partial(torch.optim.SGD, lr=0.05, momentum=0.9),
    "adam": partial(torch.optim.Adam, lr=1e-2),
    "adamw": partial(torch.optim.AdamW, lr=1e-2, amsgrad=True),
    "rmsprop": partial(torch.optim.RMSprop, lr=1e-3),
    "adagrad": partial(torch.optim.Adagrad, lr=1e-2),
}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("gpus", [2, 5])
def test_losses_and_gradients_equal_the_cpus(optimizer: str, gpus: int) -> None:
    build = OPTIMIZERS[optimizer]
    losses, gradients = train(even(20, gpus), build)
    expected, wanted = train(host(20), build)
    assert losses == expected
    assert len(set(losses)) == len(losses)
    assert all(torch.equal(a, b) for a, b in zip(gradients, wanted, strict=True))


def test_round_robin_trains_to_the_same_numbers() -> None:
    assert (
        train(round_robin(20, 5), OPTIMIZERS["adam"])[0] == train(host(20), OPTIMIZERS["adam"])[0]
    )


@pytest.mark.parametrize("kind", ["foreach", "fused"])
@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_grouped_optimizers_equal_the_cpus(name: str, kind: str) -> None:
    build = partial(getattr(torch.optim, name), lr=1e-2, **{kind: True})
    assert train(even(6, 3), build)[0] == train(host(6), build)[0]


def on_cpu_and_gpu(
    module: nn.Module,
    *inputs: torch.Tensor,
    same: Callable[[torch.Tensor, torch.Tensor], bool] = torch.equal,
) -> None:
    """The module's output and gradients are the same on cuda:3 as on the CPU."""
    outputs = []
    for device in ("cpu", "cuda:3"):
        module.zero_grad()
        torch.manual_seed(1)
        module.to(device)
        out = module(*[x.to(device) for x in inputs])
        out = out[0] if isinstance(out, tuple) else out
        out.sum().backward()
        grads = [p.grad.detach().cpu().clone() for p in module.parameters() if p.grad is not None]
        outputs.append([out.detach().cpu(), *grads])
    assert out.device == torch.device("cuda:3")
    assert len(outputs[0]) > 1
    assert all(same(a, b) for a, b in zip(*outputs, strict=True))


def test_convolutions_and_normalisation() -> None:
    module = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()
    )
    on_cpu_and_gpu(module, torch.randn(2, 3, 8, 8))


def test_transformer_layer() -> None:
    on_cpu_and_gpu(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), torch.randn(2, 5, 8))


def test_lstm() -> None:
    # On the CPU torch takes another kernel (oneDNN), so the last bits differ.
    on_cpu_and_gpu(nn.LSTM(4, 8, 2), torch.randn(5, 2, 4), same=partial(torch.allclose, atol=1e-6))


def test_embedding() -> None:
    on_cpu_and_gpu(nn.Embedding(10, 4), torch.tensor([1, 7, 7]))


@pytest.mark.parametrize("loss", [nn.MSELoss(), nn.L1Loss(), nn.SmoothL1Loss(), nn.HuberLoss()])
def test_losses(loss: nn.Module) -> None:
    x, y = torch.randn(4, 5), torch.randn(4, 5)
    assert loss(x.cuda(1), y.cuda(1)).item() == loss(x, y).item()


def test_cross_entropy() -> None:
    x, y = torch.randn(4, 5), torch.tensor([0, 4, 2, 2])
    assert F.cross_entropy(x.cuda(), y.cuda()).item() == F.cross_entropy(x, y).item()


@pytest.mark.parametrize("reentrant", [True, False])
def test_checkpoint_recomputes_the_same(reentrant: bool) -> None:
    from torch.utils.checkpoint import checkpoint

    layer = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5), nn.Linear(4, 4)).to("cuda:1")
    x = torch.randn(3, 4, device="cuda:1", requires_grad=True)
    torch.manual_seed(5)
    layer(x).sum().backward()
    wanted, x.grad = x.grad, None
    torch.manual_seed(5)
    checkpoint(layer, x, use_reentrant=reentrant).sum().backward()
    assert torch.equal(x.grad, wanted)
    assert x.grad.device == torch.device("cuda:1")


def test_gradients_clipped_over_three_gpus() -> None:
    norms = []
    for devices in (["cpu"] * 3, ["cuda:0", "cuda:1", "cuda:2"]):
        parameters = [nn.Parameter(torch.ones(2, device=d)) for d in devices]
        for i, p in enumerate(parameters):
            p.grad = torch.full_like(p, i + 1.0)
        norms.append(nn.utils.clip_grad_norm_(parameters, 0.5).item())
        assert [str(p.grad.device) for p in parameters] == devices
        norms.append([p.grad.tolist() for p in parameters])
    assert norms[:2] == norms[2:]
