"""Errors speak CUDA's words."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

SAME = "Expected all tensors to be on the same device, but "
A = lambda: torch.randn(3, 4, device="cuda:0")  # noqa: E731
B = lambda: torch.randn(3, 4, device="cuda:1")  # noqa: E731
C = lambda: torch.randn(3, 4)  # noqa: E731


def kernel(argument: str, device: str, common: str, name: str) -> str:
    return (
        f"got {argument} is on {device}, different from other tensors on {common} "
        f"(when checking argument in method wrapper_CUDA_{name})"
    )


MIXED = {
    "two gpus": (lambda: A() + B(), "found at least two devices, cuda:0 and cuda:1!"),
    "gpu, cpu": (lambda: A() + C(), "found at least two devices, cuda:0 and cpu!"),
    "cpu, gpu": (lambda: C() * A(), "found at least two devices, cuda:0 and cpu!"),
    "in place": (lambda: A().add_(B()), "found at least two devices, cuda:0 and cuda:1!"),
    "loss": (lambda: F.mse_loss(B(), C()), "found at least two devices, cuda:1 and cpu!"),
    "layer elsewhere": (
        lambda: nn.Linear(4, 4).to("cuda:3")(A()),
        kernel("mat1", "cuda:0", "cuda:3", "addmm"),
    ),
    "layer on the cpu": (
        lambda: nn.Linear(4, 4)(A()),
        kernel("mat1", "cuda:0", "cpu", "addmm"),
    ),
    "data on the cpu": (
        lambda: nn.Linear(4, 4).cuda()(C()),
        kernel("mat1", "cpu", "cuda:0", "addmm"),
    ),
    "matmul": (lambda: A() @ B().t(), kernel("mat2", "cuda:1", "cuda:0", "mm")),
    "cat": (lambda: torch.cat([A(), B()]), kernel("tensors", "cuda:1", "cuda:0", "cat")),
    "labels": (
        lambda: F.cross_entropy(A(), torch.tensor([1, 2, 3])),
        kernel("target", "cpu", "cuda:0", "nll_loss_forward"),
    ),
    "embedding": (
        lambda: nn.Embedding(3, 3).cuda()(torch.tensor([1])),
        kernel("index", "cpu", "cuda:0", "_index_select"),
    ),
    "layer norm": (
        lambda: nn.LayerNorm(4).cuda(1)(A()),
        kernel("weight", "cuda:1", "cuda:0", "_native_layer_norm"),
    ),
}


@pytest.mark.parametrize("case", MIXED)
def test_mixed_devices(case: str) -> None:
    call, words = MIXED[case]
    with pytest.raises(RuntimeError) as caught:
        call()
    assert str(caught.value) == SAME + words


def test_mixed_convolution() -> None:
    with pytest.raises(RuntimeError) as caught:
        nn.Conv2d(1, 1, 1).cuda()(torch.ones(1, 1, 2, 2))
    assert str(caught.value) == (
        "Input type (torch.FloatTensor) and weight type (torch.cuda.FloatTensor) should be the "
        "same or input should be a MKLDNN tensor and weight is a dense tensor"
    )


def test_indices_on_another_gpu() -> None:
    with pytest.raises(RuntimeError) as caught:
        A()[torch.tensor([0], device="cuda:2")]
    assert str(caught.value) == (
        "indices should be either on cpu or on the same device as the indexed tensor (cuda:0)"
    )


MISSING = {
    "to": lambda: torch.randn(3).to("cuda:7"),
    "cuda": lambda: torch.randn(3).cuda(5),
    "factory": lambda: torch.zeros(3, device="cuda:7"),
    "default": lambda: torch.device("cuda:7").__enter__() and torch.zeros(1),
    "module": lambda: nn.Linear(2, 2).to("cuda:5"),
    "set_device": lambda: torch.cuda.set_device(9),
    "synchronize": lambda: torch.cuda.synchronize(5),
}


@pytest.mark.parametrize("case", [c for c in MISSING if c != "default"])
def test_a_gpu_that_is_not_there(case: str) -> None:
    with pytest.raises(RuntimeError) as caught:
        MISSING[case]()
    assert str(caught.value).splitlines()[:2] == [
        "CUDA error: invalid device ordinal",
        "GPU device may be out of range, do you have enough GPUs?",
    ]
    assert type(caught.value).__name__ == "AcceleratorError"


def test_a_default_device_that_is_not_there() -> None:
    with torch.device("cuda:7"), pytest.raises(RuntimeError, match="invalid device ordinal"):
        torch.zeros(1)


def test_out_of_memory() -> None:
    with pytest.raises(torch.OutOfMemoryError) as caught:
        torch.empty(1 << 40, device="cuda:2")
    assert str(caught.value).startswith(
        "CUDA out of memory. Tried to allocate 4096.00 GiB. GPU 2 has a total capacity of 80.00 "
        "GiB of which 80.00 GiB is free."
    )


def test_a_gradient_from_another_device() -> None:
    x = torch.ones(3, device="cuda:1", requires_grad=True)
    with pytest.raises(RuntimeError) as caught:
        x.grad = torch.ones(3)
    assert str(caught.value).startswith(
        "attempting to assign a gradient with device type 'cpu' to a tensor with device type 'cuda'"
    )


def test_errors_of_cpp_name_cuda() -> None:
    with pytest.raises(RuntimeError) as caught:
        nn.LSTM(2, 2).cuda(1)(torch.ones(1, 1, 2, device="cuda:0"))
    assert str(caught.value) == (
        "Input and parameter tensors are not at the same device, found input tensor at cuda:0 "
        "and parameter tensor at cuda:1"
    )
    x = torch.ones(2, device="cuda:1", requires_grad=True)
    x.register_hook(lambda grad: grad.cpu())
    with pytest.raises(RuntimeError, match=r"was torch\.cuda\.FloatTensor got torch\.FloatTensor"):
        (x * 1).sum().backward()


def test_shapes_are_checked_as_ever() -> None:
    with pytest.raises(RuntimeError, match=r"mat1 and mat2 shapes cannot be multiplied \(3x4 and"):
        A() @ A()


def test_sparse_tensors_are_refused_by_name() -> None:
    with pytest.raises(NotImplementedError, match="virtual GPUs do not have sparse tensors"):
        torch.eye(3, device="cuda:1").to_sparse()
