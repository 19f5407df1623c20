"""A script's own ops, modes, counters and profiles see GPU tensors as on CUDA."""

from __future__ import annotations

import operator
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.profiler import ProfilerActivity, profile, record_function
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

seen: list[torch.device] = []


@torch.library.custom_op("behaviours::twice", mutates_args=())
def twice(x: Tensor) -> Tensor:
    seen.append(x.device)
    return x * 2


@torch.library.custom_op("behaviours::increase", mutates_args=("x",))
def increase(x: Tensor) -> None:
    x.add_(1)


@torch.library.custom_op("behaviours::thrice", mutates_args=(), device_types="cuda")
def thrice(x: Tensor) -> Tensor:
    return x * 3


twice.register_autograd(lambda ctx, grad: grad * 2)


def test_a_custom_op_sees_gpu_tensors() -> None:
    seen.clear()
    x = torch.ones(2, device="cuda:1", requires_grad=True)
    y = twice(x)
    y.sum().backward()
    assert seen == [torch.device("cuda:1")]
    assert (y.tolist(), x.grad.tolist()) == ([2.0, 2.0], [2.0, 2.0])
    assert x.grad.device == torch.device("cuda:1")


def test_a_custom_op_writes() -> None:
    x = torch.ones(2, device="cuda:1")
    assert increase(x) is None
    assert x.tolist() == [2.0, 2.0]


def test_a_custom_op_for_cuda_only() -> None:
    assert thrice(torch.ones(2, device="cuda:3")).tolist() == [3.0, 3.0]
    with pytest.raises(NotImplementedError, match="thrice"):
        thrice(torch.ones(2))


def test_a_library_with_a_kernel_for_cuda() -> None:
    with torch.library._scoped_library("behaviours_cuda", "DEF") as library:
        library.define("scale(Tensor x, float by) -> Tensor")
        library.impl("scale", operator.mul, "CUDA")
        y = torch.ops.behaviours_cuda.scale(torch.ones(2, device="cuda:2"), 4.0)
    assert (y.device, y.tolist()) == (torch.device("cuda:2"), [4.0, 4.0])


def test_a_function_mode() -> None:
    names = []

    class Names(TorchFunctionMode):
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None):
            names.append(func.__name__)
            return func(*args, **(kwargs or {}))

    x = torch.ones(2, device="cuda:1")
    with Names():
        y = torch.relu(x) + 1
    assert names == ["relu", "add"]
    assert (y.device, y.tolist()) == (torch.device("cuda:1"), [2.0, 2.0])


def test_a_dispatch_mode() -> None:
    ops = []

    class Ops(TorchDispatchMode):
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None):
            ops.append((func.name(), args[0].device if args else None))
            return func(*args, **(kwargs or {}))

    x = torch.ones(2, device="cuda:1")
    with Ops():
        y = x.exp() + 1
    assert ops == [(f"aten::{n}", torch.device("cuda:1")) for n in ("exp", "add.Tensor")]
    assert torch.equal(y.cpu(), torch.ones(2).exp() + 1)


MODELS = {
    "linear": lambda: nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 2)),
    "linear without bias": lambda: nn.Linear(4, 2, bias=False),
    "convolution": lambda: nn.Sequential(nn.Linear(4, 5), nn.Conv1d(3, 2, 2)),
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("learns", [True, False])
def test_flops_are_the_cpus(name: str, learns: bool) -> None:
    def flops(device: str) -> int:
        model = MODELS[name]().to(device)
        x = torch.ones(7, 3, 4, device=device, requires_grad=learns)
        with FlopCounterMode(display=False) as counter:
            model(x).sum().backward()
        return counter.get_total_flops()

    assert flops("cuda:1") == flops("cpu") > 0


def test_a_profile_has_ops_and_marks() -> None:
    x = torch.ones(2, 2, device="cuda:1")
    with profile(activities=[ProfilerActivity.CPU]) as prof, record_function("mine"):
        (x @ x).sum()
    keys = {event.key for event in prof.key_averages()}
    assert {"mine", "aten::mm", "aten::sum"} <= keys
