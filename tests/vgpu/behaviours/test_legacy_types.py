"""torch.cuda.FloatTensor and the other types of older scripts."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import pytest
import torch

from grader import vgpu

D = torch.device


@pytest.fixture
def defaults() -> Iterator[None]:
    yield
    torch.set_default_device(None)
    torch.set_default_dtype(torch.float32)


def test_sizes_make_tensors_of_that_size() -> None:
    x = torch.cuda.FloatTensor(3, 2)
    assert (x.shape, x.dtype, x.device) == ((3, 2), torch.float32, D("cuda:0"))
    assert torch.cuda.HalfTensor(torch.Size([4])).shape == (4,)
    assert torch.cuda.LongTensor(size=(2, 5)).shape == (2, 5)
    assert torch.cuda.IntTensor().shape == (0,)
    with torch.cuda.device(2):
        assert torch.cuda.ByteTensor(1).device == D("cuda:2")


def test_lists_make_tensors_of_their_numbers() -> None:
    x = torch.cuda.LongTensor([[1, 2], [3, 4]])
    assert (x.dtype, x.device.type, x.tolist()) == (torch.int64, "cuda", [[1, 2], [3, 4]])
    assert torch.cuda.DoubleTensor((0.5, 1.5), device="cuda:3").device == D("cuda:3")
    with pytest.raises(RuntimeError, match="legacy constructor expects device type: cuda"):
        torch.cuda.FloatTensor([1.0], device="cpu")


def test_a_tensor_is_shared() -> None:
    x = torch.ones(3, device="cuda:1")
    y = torch.cuda.FloatTensor(x)
    y[0] = 5
    assert (x.tolist(), y.device) == ([5, 1, 1], D("cuda:1"))
    with pytest.raises(TypeError, match=r"expected torch\.cuda\.FloatTensor \(got torch\.FloatT"):
        torch.cuda.FloatTensor(torch.ones(3))


def test_instances() -> None:
    x = torch.ones(2, device="cuda:4")
    assert isinstance(x, torch.cuda.FloatTensor)
    assert not isinstance(x, torch.cuda.HalfTensor)
    assert not isinstance(x.cpu(), torch.cuda.FloatTensor)
    assert not isinstance(x, torch.FloatTensor)
    assert isinstance(x.half(), torch.cuda.HalfTensor)
    assert x.type() == "torch.cuda.FloatTensor"
    assert (torch.cuda.FloatTensor.dtype, torch.cuda.FloatTensor.is_cuda) == (torch.float32, True)
    assert repr(torch.cuda.BoolTensor) == "<class 'torch.cuda.BoolTensor'>"


def test_type_converts_and_moves() -> None:
    x = torch.tensor([1.5, 2.5], device="cuda:3")
    half = x.type("torch.cuda.HalfTensor")
    assert (half.dtype, half.device) == (torch.float16, D("cuda:3"))
    assert x.type(torch.cuda.LongTensor).tolist() == [1, 2]
    back = x.type(torch.DoubleTensor)
    assert (back.dtype, back.device.type) == (torch.float64, "cpu")
    there = torch.ones(2).type(torch.cuda.HalfTensor)
    assert (there.dtype, there.device) == (torch.float16, D("cuda:0"))
    named = torch.ones(2).type("torch.cuda.LongTensor")
    assert (named.dtype, named.device) == (torch.int64, D("cuda:0"))
    assert torch.ones(2).type() == "torch.FloatTensor"
    assert torch.ones(2).type(torch.int32).dtype == torch.int32


def test_the_default_type(defaults: None) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.set_default_tensor_type(torch.cuda.DoubleTensor)
        x = torch.zeros(2)
        assert (x.dtype, x.device) == (torch.float64, D("cuda:0"))
        torch.set_default_tensor_type("torch.cuda.FloatTensor")
        assert torch.tensor([1.0]).type() == "torch.cuda.FloatTensor"
        torch.set_default_tensor_type(torch.FloatTensor)
        assert torch.zeros(2).device == D("cpu")
        with pytest.raises(TypeError, match="only floating-point types are supported"):
            torch.set_default_tensor_type(torch.cuda.LongTensor)


def test_numbers_of_devices() -> None:
    assert torch.tensor([1, 2], device=3).device == D("cuda:3")
    assert torch.zeros(2, device=1).device == D("cuda:1")
    assert torch.ones(2).to(4).device == D("cuda:4")


def test_sizes_move_no_data() -> None:
    vgpu.reset()
    torch.cuda.FloatTensor(1000)
    assert vgpu.trace().transfers == []
