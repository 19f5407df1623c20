"""torch.func, forward-mode derivatives, torch.compile, torch.jit: as on the CPU, or refused."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import func, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.autograd import forward_ad

D = torch.device

#: torch.func and forward-mode derivatives compile parts of themselves, in words of an older torch.
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit")


def layer(device: str) -> nn.Module:
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 3)).to(device)


def data(device: str) -> torch.Tensor:
    torch.manual_seed(4)
    return torch.randn(5, 3).to(device)


TRANSFORMS: dict[str, Callable[[nn.Module, torch.Tensor], Any]] = {
    "grad": lambda f, x: func.grad(lambda a: f(a).square().sum())(x),
    "vjp": lambda f, x: func.vjp(f, x)[1](x)[0],
    "jvp": lambda f, x: func.jvp(f, (x,), (x,))[1],
    "vmap": lambda f, x: func.vmap(f)(x),
    "vmap of grad": lambda f, x: func.vmap(func.grad(lambda a: f(a).sum()))(x),
    "jacrev": lambda f, x: func.jacrev(f)(x),
    "jacfwd": lambda f, x: func.jacfwd(f)(x),
    "hessian": lambda f, x: func.hessian(lambda a: f(a).pow(3).sum())(x[0]),
    "functional_call": lambda f, x: func.functional_call(
        f, {name: p * 2 for name, p in f.named_parameters()}, (x,)
    ),
    "jacobian": torch.autograd.functional.jacobian,
    "hvp": lambda f, x: torch.autograd.functional.hvp(lambda a: f(a).pow(3).sum(), x, x)[1],
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_transforms_give_the_cpus_numbers(name: str) -> None:
    transform = TRANSFORMS[name]
    here = transform(layer("cpu"), data("cpu"))
    there = transform(layer("cuda:2"), data("cuda:2"))
    assert there.device == D("cuda:2")
    torch.testing.assert_close(there.cpu(), here, rtol=1e-5, atol=1e-6)


def test_stacked_models_run_at_once() -> None:
    models = [nn.Linear(3, 3).to("cuda:1") for _ in range(4)]
    parameters, _ = func.stack_module_state(models)
    base = copy.deepcopy(models[0]).to("meta")
    x = torch.randn(2, 3, device="cuda:1")
    out = func.vmap(lambda p: func.functional_call(base, p, (x,)))(parameters)
    for i, model in enumerate(models):
        torch.testing.assert_close(out[i], model(x))


def test_forward_mode_derivatives() -> None:
    def tangent(device: str) -> torch.Tensor:
        with forward_ad.dual_level():
            dual = forward_ad.make_dual(data(device), torch.ones(5, 3).to(device))
            return forward_ad.unpack_dual(layer(device)(dual)).tangent

    there = tangent("cuda:3")
    assert there.device == D("cuda:3")
    torch.testing.assert_close(there.cpu(), tangent("cpu"))


@pytest.mark.parametrize("backend", ["inductor", "eager", "aot_eager"])
def test_compiled_modules_run_as_they_are_written(backend: str) -> None:
    module, x = layer("cuda:1"), data("cuda:1")
    compiled = torch.compile(module, backend=backend)
    out = compiled(x)
    assert (out.device, out.tolist()) == (D("cuda:1"), module(x).tolist())
    out.sum().backward()
    assert module[0].weight.grad.device == D("cuda:1")


def test_compiled_functions_run_as_they_are_written() -> None:
    @torch.compile(fullgraph=True, dynamic=True)
    def double(x: torch.Tensor) -> torch.Tensor:
        return x * 2

    assert double(torch.ones(2, device="cuda:4")).tolist() == [2, 2]
    module = nn.Linear(2, 2).to("cuda:4")
    module.compile()
    assert module(torch.ones(1, 2, device="cuda:4")).device == D("cuda:4")


def test_export_is_refused_by_name() -> None:
    with pytest.raises(NotImplementedError) as caught:
        torch.export.export(layer("cuda:0"), (data("cuda:0"),))
    assert str(caught.value) == (
        "virtual GPUs do not have torch.export.export: export the model on the CPU, and move what "
        "its module() answers to a GPU"
    )
    with pytest.raises(NotImplementedError, match="virtual GPUs do not have fake tensors"):
        FakeTensorMode().from_tensor(data("cuda:0"))


@pytest.mark.parametrize("make", [torch.jit.trace, torch.jit.script])
def test_graphs_of_torch_jit_run(make: Any) -> None:
    module, x = layer("cuda:1"), data("cuda:1")
    graph = make(module, (x,)) if make is torch.jit.trace else make(module)
    assert torch.equal(graph(x), module(x))


def test_packed_sequences() -> None:
    def run(device: str) -> torch.Tensor:
        torch.manual_seed(5)
        x, rnn = torch.randn(2, 3, 4).to(device), nn.GRU(4, 4, batch_first=True).to(device)
        packed = nn.utils.rnn.pack_padded_sequence(x, torch.tensor([3, 2]), batch_first=True)
        return nn.utils.rnn.pad_packed_sequence(rnn(packed)[0], batch_first=True)[0]

    there = run("cuda:2")
    assert there.device == D("cuda:2")
    torch.testing.assert_close(there.cpu(), run("cpu"))
