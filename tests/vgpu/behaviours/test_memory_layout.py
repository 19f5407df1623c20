"""Storage, strides, indexing, promotion and printing are those of CUDA tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

D = torch.device


def x(device: str = "cuda:1") -> Tensor:
    return torch.arange(6.0, device=device).reshape(2, 3)


def put(t: Tensor) -> Tensor:
    t[t > 3] = 0
    t[torch.tensor([0]), torch.tensor([1])] = 9
    t[..., -1] += 2
    return t


VALUES: dict[str, Callable[[Tensor], Any]] = {
    "as_strided": lambda t: t.as_strided((2, 2), (1, 2), 1),
    "expand": lambda t: t[:, :1].expand(2, 3) + t,
    "mask": lambda t: t[t > 2],
    "mask of rows": lambda t: t[t.sum(1) > 5],
    "two indices": lambda t: t[torch.tensor([0, 1]), torch.tensor([2, 0])],
    "None and ellipsis": lambda t: t[None, ..., ::2],
    "put": put,
    "nonzero": lambda t: t.nonzero(),
    "index_put, accumulated": lambda t: t.index_put(
        (torch.tensor([0, 0]).to(t.device),), torch.ones(3).to(t.device), accumulate=True
    ),
    "take_along_dim": lambda t: t.take_along_dim(t.argsort(1, descending=True), 1),
    "unfold": lambda t: t.unfold(1, 2, 1),
    "view of dtype": lambda t: t.view(torch.int32),
    "channels last": lambda t: t.reshape(1, 2, 1, 3).to(memory_format=torch.channels_last),
}


@pytest.mark.parametrize("name", VALUES)
def test_the_cpus_values_and_strides(name: str) -> None:
    here, there = VALUES[name](x("cpu")), VALUES[name](x())
    assert there.device == D("cuda:1")
    assert torch.equal(there.cpu(), here)
    assert (there.stride(), there.storage_offset()) == (here.stride(), here.storage_offset())


def test_views_are_at_their_places() -> None:
    t = x()
    assert t[1].data_ptr() - t.data_ptr() == 12
    assert t.view(-1).data_ptr() == t.t().data_ptr() == t.detach().data_ptr() == t.data_ptr()
    assert t[1].untyped_storage().data_ptr() == t.untyped_storage().data_ptr()
    assert t.clone().data_ptr() != t.data_ptr()
    assert t._is_view() == t.reshape(6)._is_view() == x("cpu").reshape(6)._is_view()


def test_set_shares_storage() -> None:
    t = x()
    other = torch.empty(0, device="cuda:1").set_(t)
    other[0, 0] = 7
    assert (t[0, 0].item(), other.shape, other.data_ptr()) == (7, t.shape, t.data_ptr())
    part = torch.empty(0, device="cuda:1").set_(t.untyped_storage(), 1, (2,), (2,))
    assert (part.tolist(), part.device) == ([1, 3], D("cuda:1"))


def test_resize() -> None:
    t = torch.ones(2, device="cuda:0").resize_(2, 3)
    assert (t.shape, t.stride(), t[0, :2].tolist()) == ((2, 3), (3, 1), [1, 1])


OUT: dict[str, tuple[Callable[[], Any], str]] = {
    "elsewhere": (
        lambda: torch.add(x(), 1, out=torch.empty(2, 3)),
        "Expected all tensors to be on the same device, but found at least two devices, "
        "cuda:1 and cpu!",
    ),
    "another type": (
        lambda: torch.add(x(), 1.5, out=torch.empty(2, 3, device="cuda:1", dtype=torch.int64)),
        "result type Float can't be cast to the desired output type Long",
    ),
}


@pytest.mark.parametrize("name", OUT)
def test_out_has_to_fit(name: str) -> None:
    use, words = OUT[name]
    with pytest.raises(RuntimeError) as caught:
        use()
    assert str(caught.value) == words


def test_out_takes_the_result() -> None:
    out = torch.empty(2, 3, device="cuda:1", dtype=torch.float64)
    assert torch.add(x(), 1, out=out) is out
    assert (out.dtype, out.tolist()) == (torch.float64, [[1, 2, 3], [4, 5, 6]])


PROMOTED = {
    "a double number of the cpu": lambda: torch.tensor(2.0, dtype=torch.float64) * x(),
    "a float number of the cpu": lambda: torch.tensor(1.5) * torch.tensor(2, device="cuda:1"),
    "a python number": lambda: torch.tensor([1, 2], device="cuda:1") * 1.5,
    "a number of the gpu": lambda: x().half() * torch.tensor(2.0, device="cuda:1"),
    "a mask": lambda: (x() > 1) + torch.tensor(1, dtype=torch.int8),
}
KINDS = [torch.float32, torch.float32, torch.float32, torch.float16, torch.int8]


@pytest.mark.parametrize(("name", "dtype"), list(zip(PROMOTED, KINDS, strict=True)))
def test_promotion(name: str, dtype: torch.dtype) -> None:
    result = PROMOTED[name]()
    assert (result.dtype, result.device) == (dtype, D("cuda:1"))


def test_modules_without_data_become_modules_of_a_gpu() -> None:
    layer = nn.Linear(2, 3, device="meta").to_empty(device="cuda:2")
    nn.init.ones_(layer.weight)
    nn.init.zeros_(layer.bias)
    assert layer.weight.device == D("cuda:2")
    assert layer(torch.ones(1, 2, device="cuda:2")).tolist() == [[2, 2, 2]]
    with pytest.raises(NotImplementedError) as caught:
        nn.Linear(2, 3, device="meta").to("cuda:0")
    assert str(caught.value).startswith("Cannot copy out of meta tensor; no data! Please use")


PRINTED = {
    "half": (
        lambda: x()[0].to(torch.float16),
        "tensor([0., 1., 2.], device='cuda:1', dtype=torch.float16)",
    ),
    "complex": (lambda: x()[0, :2] * 1j, "tensor([0.+0.j, 0.+1.j], device='cuda:1')"),
    "mask": (lambda: x()[0] > 1, "tensor([False, False,  True], device='cuda:1')"),
    "number": (lambda: x().sum(), "tensor(15., device='cuda:1')"),
    "nothing": (lambda: x()[:0], "tensor([], device='cuda:1', size=(0, 3))"),
    "large": (
        lambda: torch.zeros(2000, device="cuda:1"),
        "tensor([0., 0., 0.,  ..., 0., 0., 0.], device='cuda:1')",
    ),
    "whole numbers": (
        lambda: x()[1].to(torch.int32),
        "tensor([3, 4, 5], device='cuda:1', dtype=torch.int32)",
    ),
}


@pytest.mark.parametrize("name", PRINTED)
def test_printed(name: str) -> None:
    make, text = PRINTED[name]
    assert repr(make()) == text


def test_printed_as_told() -> None:
    torch.set_printoptions(precision=2, sci_mode=False)
    try:
        text = repr(torch.tensor([1 / 3], device="cuda:1"))
    finally:
        torch.set_printoptions(profile="default")
    assert text == "tensor([0.33], device='cuda:1')"
