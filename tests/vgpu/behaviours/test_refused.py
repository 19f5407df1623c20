"""What virtual GPUs do not have: the error names it."""

from __future__ import annotations

from collections.abc import Callable
from multiprocessing.reduction import ForkingPickler
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.profiler import ProfilerActivity, profile


class Mine(torch.Tensor):
    pass


def gpu() -> torch.Tensor:
    return torch.ones(2, 2, device="cuda:0")


def sparse_embedding() -> None:
    rows = nn.Embedding(3, 2, sparse=True).cuda()
    rows(torch.tensor([1], device="cuda:0")).sum().backward()


def coo() -> torch.Tensor:
    return torch.sparse_coo_tensor([[0], [1]], [1.0], (2, 2), device="cuda:0")


def nested() -> torch.Tensor:
    return torch.nested.nested_tensor([torch.ones(2), torch.ones(3)], device="cuda:0")


SPARSE, NESTED = "sparse tensors", "nested tensors"
CASES: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "sparse, moved": (lambda: torch.eye(2).to_sparse().cuda(), NotImplementedError, SPARSE),
    "sparse, made": (coo, NotImplementedError, SPARSE),
    "to_sparse": (lambda: gpu().to_sparse(), NotImplementedError, SPARSE),
    "to_sparse_csr": (lambda: gpu().to_sparse_csr(), NotImplementedError, SPARSE),
    "sparse gradients": (sparse_embedding, NotImplementedError, SPARSE),
    "quantized": (
        lambda: torch.quantize_per_tensor(gpu(), 0.1, 0, torch.qint8),
        NotImplementedError,
        r"quantized tensors \(torch.qint8\)",
    ),
    "nested": (nested, NotImplementedError, NESTED),
    "nested, of parts": (
        lambda: torch.nested.as_nested_tensor([gpu()[0]]),
        NotImplementedError,
        NESTED,
    ),
    "mkldnn": (lambda: gpu().to_mkldnn(), NotImplementedError, "MKL-DNN tensors"),
    "subclass": (
        lambda: gpu().as_subclass(Mine),
        NotImplementedError,
        "tensor subclasses such as Mine",
    ),
    "subclass, moved": (
        lambda: torch.ones(2).as_subclass(Mine).cuda(),
        NotImplementedError,
        "tensor subclasses such as Mine",
    ),
    "between processes": (
        lambda: ForkingPickler.dumps(gpu()),
        NotImplementedError,
        "tensors shared between processes",
    ),
    "dlpack": (lambda: torch.from_dlpack(gpu()), BufferError, "DLPack"),
    "dlpack, numpy": (lambda: np.from_dlpack(gpu()), BufferError, "DLPack"),
    "array interface": (
        lambda: gpu().__cuda_array_interface__,
        AttributeError,
        "__cuda_array_interface__",
    ),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.filterwarnings("ignore:.*(beta state|deprecated):UserWarning")
def test_refused_by_name(name: str) -> None:
    use, kind, words = CASES[name]
    with pytest.raises(kind, match=f"^virtual GPUs do not have {words}"):
        use()


def test_the_cpu_keeps_them() -> None:
    places, values = [[0, 1], [0, 1]], [1.0, 1.0]
    eye = torch.sparse_coo_tensor(places, values, (2, 2), check_invariants=True)
    assert torch.equal(eye.to_dense().cuda().cpu(), torch.eye(2))
    assert type(torch.ones(2).as_subclass(Mine) + 1) is Mine
    assert np.from_dlpack(torch.ones(2)).tolist() == [1.0, 1.0]


def test_cuda_times_in_a_profile() -> None:
    both = [ProfilerActivity.CPU, ProfilerActivity.CUDA]
    with (
        pytest.warns(UserWarning, match="virtual GPUs do not have CUDA times in a profile"),
        profile(activities=both) as seen,
    ):
        gpu() @ gpu()
    assert "aten::mm" in {event.key for event in seen.key_averages()}


def test_indices_of_tensor_split_stay_on_the_cpu() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.tensor_split(gpu(), torch.tensor([1], device="cuda:1"))
    assert str(caught.value) == (
        "tensor_split expected tensor_indices_or_sections to be on cpu, but it's on cuda:1"
    )
    first, second = torch.tensor_split(gpu().requires_grad_(), torch.tensor([1]))
    assert (first.shape, second.device) == ((1, 2), torch.device("cuda:0"))
