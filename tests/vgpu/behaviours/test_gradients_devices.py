"""Gradients belong where their tensors are, as autograd demands on CUDA; lazy modules move."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from grader import vgpu
from grader.vgpu import explain


class Elsewhere(torch.autograd.Function):
    """Its backward returns what it is told to, for the second of three arguments."""

    @staticmethod
    def forward(ctx: Any, fixed: Tensor, x: Tensor, answer: Any) -> Tensor:
        ctx.answer = answer
        return x * 2

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        return None, ctx.answer(grad), None


def run(answer: Any, shape: tuple[int, ...] = (3,)) -> Tensor:
    x = torch.ones(shape, device="cuda:1", requires_grad=True)
    Elsewhere.apply(torch.ones(2), x, answer).sum().backward()
    assert x.grad is not None
    return x.grad


WRONG = {
    "another gpu": (lambda g: g.to("cuda:3"), "cuda:3"),
    "the cpu": (lambda g: g.cpu(), "cpu"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_function_returns_a_gradient_from_elsewhere(case: str) -> None:
    answer, where = WRONG[case]
    with pytest.raises(RuntimeError) as caught:
        run(answer)
    assert str(caught.value) == (
        "Function ElsewhereBackward returned an invalid gradient at index 1 - expected device "
        f"cuda:1 but got {where}"
    )


def test_a_function_returns_a_gradient_in_place() -> None:
    grad = run(lambda g: g * 2)
    assert (grad.tolist(), str(grad.device)) == ([2, 2, 2], "cuda:1")


def test_a_single_number_is_moved() -> None:
    grad = run(lambda g: g.cpu(), shape=())
    assert (grad.item(), str(grad.device)) == (1, "cuda:1")


def test_backward_from_a_gradient_elsewhere() -> None:
    y = torch.ones(3, device="cuda:1", requires_grad=True) * 2
    with pytest.raises(RuntimeError) as caught:
        y.backward(torch.ones(3, device="cuda:2"))
    assert str(caught.value) == (
        "invalid gradient at index 0 - expected device cuda:1 but got cuda:2"
    )


def test_grad_outputs_elsewhere() -> None:
    x = torch.ones(3, device="cuda:1", requires_grad=True)
    with pytest.raises(RuntimeError) as caught:
        torch.autograd.grad([x * 1, x * 2], x, grad_outputs=[torch.ones_like(x), torch.ones(3)])
    assert str(caught.value) == "invalid gradient at index 1 - expected device cuda:1 but got cpu"


def test_a_number_to_start_from_is_moved() -> None:
    x = torch.ones(3, device="cuda:1", requires_grad=True)
    (x * 2).sum().backward(torch.tensor(3.0))
    assert x.grad is not None
    assert (x.grad.tolist(), str(x.grad.device)) == ([6, 6, 6], "cuda:1")


def test_a_gradient_of_another_shape_keeps_torchs_words() -> None:
    y = torch.ones(3, device="cuda:1", requires_grad=True) * 2
    with pytest.raises(RuntimeError, match=r"Mismatch in shape: grad_output\[0\] has a shape of"):
        y.backward(torch.ones(2))


def test_a_hook_may_move_a_leafs_gradient_between_gpus() -> None:
    """Autograd compares the types of what hooks return, not the numbers of their GPUs."""
    x = torch.ones(2, device="cuda:1", requires_grad=True)
    x.register_hook(lambda grad: grad.to("cuda:2"))
    (x * 2).sum().backward()
    assert x.grad is not None
    assert (x.grad.tolist(), str(x.grad.device)) == ([2, 2], "cuda:2")


@pytest.mark.parametrize("layers", [1, 2])
def test_a_module_that_moved_between_forward_and_backward(layers: int) -> None:
    model = nn.Sequential(*(nn.Linear(3, 3) for _ in range(layers)))
    y = model(torch.ones(2, 3))
    model.to("cuda:1")
    with pytest.raises(RuntimeError) as caught:
        y.sum().backward()
    assert str(caught.value) == (
        "Expected all tensors to be on the same device, but found at least two devices, cuda:1 "
        "and cpu!"
    )
    assert "Fix: move first, then run it." in str(explain.hint(caught.value))


def test_a_module_that_moved_after_backward_trains_on() -> None:
    torch.manual_seed(0)
    model = nn.Linear(2, 2)
    model(torch.ones(1, 2)).sum().backward()
    model.to("cuda:1")
    model(torch.ones(1, 2, device="cuda:1")).sum().backward()
    assert model.bias.grad is not None
    assert (model.bias.grad.tolist(), str(model.bias.grad.device)) == ([2, 2], "cuda:1")


@pytest.mark.parametrize("move", ["to", "cuda", "device"])
def test_a_lazy_layer_on_a_gpu(move: str) -> None:
    if move == "device":
        layer = nn.LazyLinear(3, device="cuda:1")
    else:
        layer = nn.LazyLinear(3).to("cuda:1") if move == "to" else nn.LazyLinear(3).cuda(1)
    assert repr(layer.weight) == "<UninitializedParameter>"
    assert str(layer.weight.device) == "cuda:1"
    vgpu.reset()
    y = layer(torch.ones(2, 5, device="cuda:1"))
    assert (tuple(y.shape), type(layer).__name__) == ((2, 3), "Linear")
    assert (tuple(layer.weight.shape), str(layer.weight.device)) == ((3, 5), "cuda:1")
    assert [t for t in vgpu.trace().transfers if t.target == 1 and t.bytes == 60] == []
    y.sum().backward()
    assert str(layer.weight.grad.device) == "cuda:1"


def test_a_lazy_norm_that_moves_there_and_back() -> None:
    assert str(copy.deepcopy(nn.LazyLinear(2).to("cuda:2")).weight.device) == "cuda:2"
    norm = nn.LazyBatchNorm1d().to("cuda:2").to("cpu")
    assert norm(torch.ones(4, 3)).tolist() == [[0.0] * 3] * 4
    norm = nn.LazyBatchNorm1d().to("cuda:2")
    assert str(norm(torch.ones(4, 3, device="cuda:2")).device) == "cuda:2"
    assert str(norm.running_mean.device) == "cuda:2"
