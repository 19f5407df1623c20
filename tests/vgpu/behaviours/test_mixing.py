"""One op, tensors on several devices: CUDA's message, op family by op family."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

SAME = "Expected all tensors to be on the same device, but "


def a(*shape: int) -> Tensor:
    return torch.rand(*(shape or (3, 4)), device="cuda:0")


def b(*shape: int) -> Tensor:
    return torch.rand(*(shape or (3, 4)), device="cuda:1")


def c(*shape: int) -> Tensor:
    return torch.rand(*(shape or (3, 4)))


def index(device: str, *values: int) -> Tensor:
    return torch.tensor(values, device=device)


def checked(argument: str, device: str, common: str, kernel: str) -> str:
    return (
        f"{SAME}got {argument} is on {device}, different from other tensors on {common} "
        f"(when checking argument in method wrapper_CUDA_{kernel})"
    )


def found(common: str, other: str) -> str:
    return f"{SAME}found at least two devices, {common} and {other}!"


def indices(device: str) -> str:
    return f"indices should be either on cpu or on the same device as the indexed tensor ({device})"


def _step() -> None:
    """An optimizer whose state was loaded from a checkpoint, and left on the CPU."""
    weight = torch.ones(3, device="cuda:1", requires_grad=True)
    optimizer = torch.optim.SGD([weight], momentum=0.9)
    weight.grad = torch.ones_like(weight)
    optimizer.state[weight]["momentum_buffer"] = torch.ones(3)
    optimizer.step()


CASES = {
    "dot": (lambda: torch.dot(a(4), b(4)), checked("tensor", "cuda:1", "cuda:0", "_dot")),
    "mv": (lambda: a() @ b(4), checked("mat", "cuda:0", "cuda:1", "addmv_")),
    "bmm": (lambda: a(2, 3, 4) @ c(2, 4, 3), checked("mat2", "cpu", "cuda:0", "bmm")),
    "baddbmm": (
        lambda: torch.baddbmm(a(2, 3, 3), a(2, 3, 4), b(2, 4, 3)),
        checked("batch2", "cuda:1", "cuda:0", "baddbmm"),
    ),
    "linear": (lambda: F.linear(a(), b(2, 4)), checked("mat2", "cuda:1", "cuda:0", "mm")),
    "linear, bias": (
        lambda: F.linear(a(), a(2, 4), b(2)),
        checked("mat1", "cuda:0", "cuda:1", "addmm"),
    ),
    "einsum": (
        lambda: torch.einsum("ij,kj->ik", a(), b()),
        checked("mat2", "cuda:1", "cuda:0", "bmm"),
    ),
    "stack": (lambda: torch.stack([a(), c()]), checked("tensors", "cpu", "cuda:0", "cat")),
    "gather": (
        lambda: a().gather(1, index("cuda:1", 1).view(1, 1)),
        checked("index", "cuda:1", "cuda:0", "gather"),
    ),
    "scatter": (
        lambda: a().scatter(1, index("cuda:0", 1).view(1, 1), b(1, 1)),
        checked("src", "cuda:1", "cuda:0", "scatter_src"),
    ),
    "scatter_": (
        lambda: a().scatter_(1, index("cpu", 1).view(1, 1), 1.0),
        checked("index", "cpu", "cuda:0", "scatter__value"),
    ),
    "scatter_add_": (
        lambda: a().scatter_add_(1, index("cuda:0", 1).view(1, 1), c(1, 1)),
        checked("src", "cpu", "cuda:0", "scatter_add_"),
    ),
    "index_select": (
        lambda: a().index_select(0, index("cpu", 1)),
        checked("index", "cpu", "cuda:0", "_index_select"),
    ),
    "index_add_": (
        lambda: a().index_add_(0, index("cuda:0", 1), b(1, 4)),
        checked("source", "cuda:1", "cuda:0", "index_add_"),
    ),
    "masked_select": (
        lambda: a().masked_select(c() > 0),
        checked("mask", "cpu", "cuda:0", "_masked_select"),
    ),
    "masked_fill": (
        lambda: a().masked_fill(c() > 0, 0.0),
        "expected self and mask to be on the same device, but got mask on cpu and self on cuda:0",
    ),
    "where": (lambda: torch.where(a() > 0, a(), b()), found("cuda:0", "cuda:1")),
    "index": (lambda: c()[index("cuda:0", 1)], indices("cpu")),
    "index_put, indices": (
        lambda: a().index_put_((index("cuda:1", 1),), a(1, 4)),
        indices("cuda:0"),
    ),
    "index_put, values": (
        lambda: a().index_put_((index("cuda:0", 1),), c(1, 4)),
        found("cuda:0", "cpu"),
    ),
    "index_put, accumulated": (
        lambda: a().index_put_((index("cuda:0", 1),), c(1, 4), accumulate=True),
        "expected device cuda:0 but got device cpu for value tensor",
    ),
    "a number as class": (
        lambda: F.cross_entropy(a(4), torch.tensor(1)),
        checked("target", "cpu", "cuda:0", "nll_loss_forward"),
    ),
    "a number as row": (
        lambda: nn.Embedding(3, 3).cuda()(torch.tensor(1)),
        checked("index", "cpu", "cuda:0", "_index_select"),
    ),
    "a number written": (lambda: torch.zeros(()).add_(a().sum()), found("cuda:0", "cpu")),
    "class weights": (
        lambda: F.cross_entropy(a(), index("cuda:0", 1, 2, 3), weight=c(4)),
        checked("weight", "cpu", "cuda:0", "nll_loss_forward"),
    ),
    "cross entropy of shares": (lambda: F.cross_entropy(a(), c()), found("cuda:0", "cpu")),
    "binary cross entropy": (
        lambda: F.binary_cross_entropy_with_logits(a(), c()),
        found("cuda:0", "cpu"),
    ),
    "l1": (lambda: F.l1_loss(b(), a()), found("cuda:1", "cuda:0")),
    "embedding bag": (
        lambda: nn.EmbeddingBag(3, 3).cuda()(torch.tensor([[1]])),
        checked("indices", "cpu", "cuda:0", "__embedding_bag"),
    ),
    "convolution": (
        lambda: nn.Conv2d(1, 1, 1).cuda(1)(a(1, 1, 2, 2)),
        checked("weight", "cuda:1", "cuda:0", "_cudnn_convolution"),
    ),
    "transposed convolution": (
        lambda: nn.ConvTranspose2d(1, 1, 1).cuda(1)(a(1, 1, 2, 2)),
        checked("weight", "cuda:1", "cuda:0", "_cudnn_convolution_transpose"),
    ),
    "convolution, bias": (
        lambda: F.conv2d(a(1, 1, 2, 2), a(1, 1, 1, 1), b(1)),
        found("cuda:0", "cuda:1"),
    ),
    "convolution on the cpu": (
        lambda: nn.Conv2d(1, 1, 1)(a(1, 1, 2, 2)),
        "Input type (torch.cuda.FloatTensor) and weight type (torch.FloatTensor) should be the "
        "same",
    ),
    "batch norm of images": (
        lambda: nn.BatchNorm2d(1).cuda(1)(a(2, 1, 2, 2)),
        checked("weight", "cuda:1", "cuda:0", "_cudnn_batch_norm"),
    ),
    "batch norm of rows": (
        lambda: nn.BatchNorm1d(4)(a()),
        checked("weight", "cpu", "cuda:0", "_native_batch_norm"),
    ),
    "group norm": (
        lambda: nn.GroupNorm(1, 4).cuda(1)(a(2, 4)),
        checked("weight", "cuda:1", "cuda:0", "_native_group_norm"),
    ),
    "gru": (
        lambda: nn.GRU(2, 2)(a(1, 1, 2)),
        "Input and parameter tensors are not at the same device, found input tensor at cuda:0 "
        "and parameter tensor at cpu",
    ),
    "lstm, state": (
        lambda: nn.LSTM(2, 2).cuda()(a(1, 1, 2), (b(1, 1, 2), b(1, 1, 2))),
        "Input and hidden tensors are not at the same device, found input tensor at cuda:0 and "
        "hidden tensor at cuda:1",
    ),
    "attention": (
        lambda: F.scaled_dot_product_attention(a(1, 1, 3, 4), b(1, 1, 3, 4), a(1, 1, 3, 4)),
        "Expected query, key, and value to have the same device type, but got query.device: "
        "cuda:0 key.device: cuda:1 and value.device: cuda:0 instead.",
    ),
    "out=": (lambda: torch.add(a(), a(), out=b()), found("cuda:1", "cuda:0")),
    "out= of a product": (
        lambda: torch.mm(a(), a().t(), out=b(3, 3)),
        checked("self", "cuda:0", "cuda:1", "mm_out_out"),
    ),
    "foreach": (lambda: torch._foreach_add([a()], [b()]), found("cuda:0", "cuda:1")),
    "equal": (lambda: torch.equal(a(), b()), checked("other", "cuda:1", "cuda:0", "_equal")),
    "clamp": (lambda: a().clamp(min=c()), checked("min", "cpu", "cuda:0", "clamp_Tensor")),
    "optimizer": (_step, found("cuda:1", "cpu")),
}


@pytest.mark.parametrize("case", CASES)
def test_mixed_devices(case: str) -> None:
    call, words = CASES[case]
    with pytest.raises(RuntimeError) as caught:
        call()
    assert str(caught.value) == words


def test_numbers_of_the_cpu_are_taken_along() -> None:
    number = torch.tensor(2.0)
    x = torch.tensor([1.0, -1.0], device="cuda:1")
    assert (x * number).tolist() == [2, -2]
    assert torch.where(x > 0, number, number + 1).tolist() == [2, 3]
    assert x.masked_fill(x > 0, number).tolist() == [2, -1]
    x[torch.tensor([0])] = number
    assert x.tolist() == [2, -1]
    x[torch.tensor([1], device="cuda:1")] = torch.tensor(7.0, device="cuda:3")
    assert (x.tolist(), str(x.device)) == ([2, 7], "cuda:1")


def test_lists_may_span_gpus() -> None:
    xs = [torch.ones(2, device="cuda:0"), torch.ones(2, device="cuda:2")]
    sums = torch._foreach_add(xs, xs)
    assert [(x.tolist(), str(x.device)) for x in sums] == [([2, 2], "cuda:0"), ([2, 2], "cuda:2")]
