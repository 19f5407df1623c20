"""Every optimizer over three GPUs: the CPU's numbers with the same options."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn, optim

GPUS = ("cuda:0", "cuda:3", "cuda:1")
CPU = ("cpu",) * 3
CLASSES = [
    cls
    for cls in (getattr(optim, name) for name in optim.__all__ if name[0].isupper())
    if issubclass(cls, optim.Optimizer)
    and cls not in (optim.Optimizer, optim.LBFGS, optim.SparseAdam)
]


def _model(places: tuple[str, ...]) -> list[nn.Linear]:
    torch.manual_seed(0)
    layers = [nn.Linear(7, 5), nn.Linear(5, 7), nn.Linear(7, 3)]
    return [layer.to(place) for layer, place in zip(layers, places, strict=True)]


def _loss(layers: list[nn.Linear], x: Tensor) -> Tensor:
    for layer in layers:
        x = layer(x.to(layer.weight.device)).tanh()
    return x.pow(2).sum()


def _trained(
    places: tuple[str, ...], make: Callable[..., Any], steps: int = 3, **options: Any
) -> list[Tensor]:
    layers = _model(places)
    parameters = [p for layer in layers for p in layer.parameters()]
    if make.__name__ == "Muon":
        parameters = [p for p in parameters if p.dim() == 2]
    optimizer = make(parameters, **options)
    numbers = torch.Generator().manual_seed(1)
    for _ in range(steps):
        optimizer.zero_grad()
        _loss(layers, torch.randn(4, 7, generator=numbers)).backward()
        optimizer.step()
    return [p.detach().cpu() for p in parameters]


def _equal(a: list[Tensor], b: list[Tensor]) -> bool:
    return len(a) == len(b) > 0 and all(map(torch.equal, a, b))


def _differing(classes: list[Any] = CLASSES, **options: Any) -> list[str]:
    """The optimizers with these options whose numbers are not the CPU's."""
    able = [c for c in classes if set(options) <= set(inspect.signature(c).parameters)]
    assert len(able) >= 3
    return [
        c.__name__
        for c in able
        if not _equal(_trained(CPU, c, **options), _trained(GPUS, c, **options))
    ]


def test_lists_of_tensors() -> None:
    assert _differing(foreach=True) == []


def test_one_tensor_at_a_time() -> None:
    assert _differing(foreach=False) == []


def test_fused() -> None:
    refused = "cuda_unsupported=True" in inspect.getsource(optim.Adagrad)  # torch 2.9
    assert _differing([c for c in CLASSES if c is not optim.Adagrad], fused=True) == []
    if refused:
        with pytest.raises(RuntimeError, match="`fused=True` requires all the params to be"):
            _trained(GPUS, optim.Adagrad, fused=True)
    else:
        assert _equal(
            _trained(CPU, optim.Adagrad, fused=True), _trained(GPUS, optim.Adagrad, fused=True)
        )


def test_differentiable_steps() -> None:
    found = []
    for place in ("cpu", "cuda:3"):
        leaf = torch.linspace(1, 2, 4).to(place).requires_grad_()
        weight = leaf.clone()
        weight.grad = leaf.pow(2)
        optim.SGD([weight], lr=0.1, momentum=0.9, differentiable=True).step()
        weight.pow(2).sum().backward()
        assert str(leaf.grad.device) == place
        found.append([weight.detach().cpu(), leaf.grad.cpu()])
    assert _equal(*found)


def test_maximizing() -> None:
    assert _differing(maximize=True, foreach=True) == []


def test_capturable_counts_its_steps_on_the_gpu() -> None:
    for make in (optim.Adam, optim.AdamW, optim.NAdam, optim.RAdam, optim.Adamax):
        plain = _trained(GPUS, make)
        captured = _trained(GPUS, make, capturable=True)
        for a, b in zip(plain, captured, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)
    parameter = nn.Parameter(torch.ones(2, device="cuda:3"))
    parameter.grad = torch.ones_like(parameter)
    optimizer = optim.Adam([parameter], capturable=True)
    optimizer.step()
    assert str(optimizer.state[parameter]["step"].device) == "cuda:3"


def test_lbfgs_on_one_gpu() -> None:
    found = []
    for place in ("cpu", "cuda:2"):
        layers = _model((place,) * 3)
        parameters = [p for layer in layers for p in layer.parameters()]
        optimizer = optim.LBFGS(parameters)

        def closure(layers=layers, optimizer=optimizer):
            optimizer.zero_grad()
            loss = _loss(layers, torch.ones(4, 7))
            loss.backward()
            return loss

        optimizer.step(closure)
        found.append([p.detach().cpu() for p in parameters])
    assert _equal(*found)


def test_lbfgs_over_gpus_fails_as_on_cuda() -> None:
    layers = _model(GPUS)
    optimizer = optim.LBFGS([p for layer in layers for p in layer.parameters()])

    def closure() -> Tensor:
        loss = _loss(layers, torch.ones(4, 7))
        loss.backward()
        return loss

    with pytest.raises(RuntimeError, match=r"cuda:3, different from other tensors on cuda:0 .*cat"):
        optimizer.step(closure)


def test_schedules_follow_the_cpus() -> None:
    def scheduled(parameters: Any) -> Any:
        optimizer = optim.SGD(parameters, lr=0.1, momentum=0.9, foreach=True)
        schedule = optim.lr_scheduler.OneCycleLR(optimizer, 0.5, total_steps=6)
        optimizer.register_step_post_hook(lambda *_: schedule.step())
        return optimizer

    assert _equal(_trained(CPU, scheduled, 5), _trained(GPUS, scheduled, 5))


def test_averaged_models() -> None:
    found = []
    for place in ("cpu", "cuda:2"):
        torch.manual_seed(0)
        layer = nn.Linear(3, 3).to(place)
        average = optim.swa_utils.get_ema_multi_avg_fn(0.9)
        averaged = optim.swa_utils.AveragedModel(layer, multi_avg_fn=average)
        for i in range(3):
            with torch.no_grad():
                layer.weight.add_(i)
            averaged.update_parameters(layer)
        assert str(averaged.module.weight.device) == place
        found.append([p.detach().cpu() for p in averaged.parameters()])
    assert _equal(*found)


def test_clipping_over_gpus() -> None:
    found = []
    for places in (CPU, GPUS):
        layers = _model(places)
        _loss(layers, torch.ones(4, 7)).backward()
        parameters = [p for layer in layers for p in layer.parameters()]
        norm = nn.utils.clip_grad_norm_(parameters, 0.1)
        assert str(norm.device) == places[0]
        found.append([norm.cpu(), *[p.grad.cpu() for p in parameters]])
    assert _equal(*found)


def test_accumulated_gradients() -> None:
    found = []
    for places in (CPU, GPUS):
        layers = _model(places)
        for i in range(3):
            (_loss(layers, torch.full((4, 7), float(i))) / 3).backward()
        found.append([p.grad.cpu() for layer in layers for p in layer.parameters()])
    assert _equal(*found)


def test_one_infinite_gradient_skips_the_step_on_all_gpus() -> None:
    layers = _model(GPUS)
    parameters = [p for layer in layers for p in layer.parameters()]
    before = [p.detach().clone() for p in parameters]
    optimizer, scaler = optim.SGD(parameters, lr=0.1), torch.amp.GradScaler("cuda")
    scaler.scale(_loss(layers, torch.ones(4, 7))).backward()
    layers[1].bias.grad[0] = float("inf")
    assert scaler.step(optimizer) is None
    scaler.update()
    assert _equal(before, [p.detach() for p in parameters])
    assert scaler.get_scale() == 32768.0


def test_state_moves_between_cpu_and_gpu() -> None:
    layer = nn.Linear(3, 3)
    optimizer = optim.Adam(layer.parameters())
    layer(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    there = copy.deepcopy(layer).to("cuda:2")
    moved = optim.Adam(there.parameters())
    moved.load_state_dict(optimizer.state_dict())
    state = moved.state[there.weight]
    assert (str(state["exp_avg"].device), str(state["step"].device)) == ("cuda:2", "cpu")
    assert torch.equal(state["exp_avg"].cpu(), optimizer.state[layer.weight]["exp_avg"])
