"""torch.compile runs eagerly, torch.jit works, torch.export is refused by name."""

from __future__ import annotations

import copy
import subprocess
import sys
import warnings
from typing import Any

import pytest
import torch
from both import GPU, equal_on_both
from torch import Tensor, nn

#: torch itself is written in torch.jit here and there, and warns of it.
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit")

X = torch.linspace(-2, 2, 12).view(4, 3)


def _trained(x: Tensor, **options: Any) -> Any:
    layer = nn.Linear(3, 3).to(x.device)
    model = (
        layer if options.pop("plain", x.device.type == "cpu") else torch.compile(layer, **options)
    )
    y = model(x.requires_grad_())
    y.sum().backward()
    return y, x.grad, layer.weight.grad


def test_compiled_modules_train_as_the_cpu_does() -> None:
    for options in (
        {},
        {"backend": "eager"},
        {"backend": "aot_eager"},
        {"fullgraph": True, "dynamic": True},
        {"mode": "reduce-overhead"},
    ):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            equal_on_both(lambda x, given=options: _trained(x, **given), X)


def test_compile_as_a_decorator() -> None:
    @torch.compile
    def double(x: Tensor) -> Tensor:
        """Twice."""
        return x * 2

    @torch.compile(fullgraph=True, backend="eager")
    def triple(x: Tensor) -> Tensor:
        return x * 3

    equal_on_both(lambda x: (double(x), triple(x)), X)
    assert (double.__name__, double.__doc__) == ("double", "Twice.")


def test_module_compile() -> None:
    def run(x: Tensor) -> Tensor:
        layer = nn.Linear(3, 3).to(x.device)
        layer.compile()
        return layer(x)

    equal_on_both(run, X)


def test_a_compiled_module_is_the_class_it_is_on_cuda() -> None:
    layer = nn.Linear(3, 3).to(GPU)
    compiled = torch.compile(layer)
    assert type(compiled).__name__ == "OptimizedModule"
    assert compiled._orig_mod is layer
    assert compiled.weight is layer.weight
    assert list(compiled.state_dict()) == ["_orig_mod.weight", "_orig_mod.bias"]
    assert torch.equal(copy.deepcopy(compiled)(X.to(GPU)), layer(X.to(GPU)))
    assert not compiled.eval().training
    assert not layer.training


def test_hooks_of_a_compiled_module_run_once() -> None:
    layer, calls = nn.Linear(3, 3).to(GPU), []
    layer.register_forward_hook(lambda *_: calls.append(1))
    torch.compile(layer)(X.to(GPU))
    assert calls == [1]


def test_compile_refuses_what_torch_refuses() -> None:
    with pytest.raises(RuntimeError, match="Either mode or options can be specified"):
        torch.compile(nn.Linear(3, 3), mode="default", options={"x": 1})
    with pytest.raises(Exception, match="Invalid backend: 'fast'"):
        torch.compile(nn.Linear(3, 3), backend="fast")
    assert torch.compile(len, disable=True) is len


def test_export_is_refused_by_name() -> None:
    with pytest.raises(NotImplementedError) as raised:
        torch.export.export(nn.Linear(3, 3).to(GPU), (X.to(GPU),))
    assert str(raised.value) == (
        "virtual GPUs do not have torch.export.export: export the model on the CPU, "
        "and move what its module() answers to a GPU"
    )


def test_a_model_exported_on_the_cpu_runs_on_a_gpu() -> None:
    layer = nn.Linear(3, 3)
    expected, exported = layer(X), torch.export.export(layer, (X,)).module()
    assert torch.equal(exported.to(GPU)(X.to(GPU)).cpu(), expected)


def test_scripted_functions() -> None:
    @torch.jit.script
    def run(x: Tensor, n: int) -> Tensor:
        y = torch.zeros_like(x)
        for i in range(n):
            y = y + x * i
        return y + torch.ones(3, device=x.device)

    equal_on_both(lambda x: run(x, 3), X)


def test_traced_and_scripted_modules() -> None:
    def run(x: Tensor) -> Any:
        model = nn.Sequential(nn.Linear(3, 3), nn.ReLU()).to(x.device)
        return torch.jit.trace(model, x)(x), torch.jit.script(model)(x)

    equal_on_both(run, X)


def test_symbolic_trace() -> None:
    def run(x: Tensor) -> Tensor:
        model = nn.Sequential(nn.Linear(3, 3), nn.ReLU()).to(x.device)
        return torch.fx.symbolic_trace(model)(x)

    equal_on_both(run, X)


def test_installing_does_not_import_the_compiler() -> None:
    code = "from grader import vgpu; vgpu.install(2); import sys; print('torch._dynamo' in {})"
    code = code.format("sys.modules")
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert run.stdout == "False\n"
