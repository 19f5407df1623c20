"""The same function on the CPU and on a virtual GPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

GPU = torch.device("cuda:1")


def equal_on_both(function: Callable[..., Any], *tensors: Tensor) -> None:
    """Assert that results on a GPU are there, and are the CPU's bit for bit."""
    torch.manual_seed(0)
    expected = function(*[tensor.clone() for tensor in tensors])
    torch.manual_seed(0)
    _compare(expected, function(*[tensor.clone().to(GPU) for tensor in tensors]))


def _compare(expected: Any, found: Any) -> None:
    if isinstance(expected, Tensor):
        assert found.device == GPU
        assert torch.equal(expected.detach(), found.detach().cpu())
    elif isinstance(expected, dict):
        assert list(expected) == list(found)
        _compare(list(expected.values()), list(found.values()))
    elif isinstance(expected, (list, tuple)):
        assert len(expected) == len(found)
        for one, other in zip(expected, found, strict=True):
            _compare(one, other)
    else:
        assert expected == found
