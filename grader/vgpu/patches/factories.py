"""Device arguments in Python: numbers, names and devices become something C++ can serve."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils import _device as default_device

from grader.vgpu.devices import Device, to_carrier
from grader.vgpu.patches import generators
from grader.vgpu.patches.replacing import replace
from grader.vgpu.tensor import VirtualTensor

_FUNCTIONS = (
    *("arange", "as_tensor", "asarray", "empty", "empty_like", "empty_strided", "eye", "full"),
    *("full_like", "linspace", "logspace", "normal", "ones", "ones_like", "rand", "rand_like"),
    *("randint", "randint_like", "randn", "randn_like", "randperm", "scalar_tensor", "tensor"),
    *("tril_indices", "triu_indices", "zeros", "zeros_like"),
)
_METHODS = ("new_empty", "new_full", "new_ones", "new_tensor", "new_zeros")


def install() -> None:
    """Translate the `device` of every function that creates a tensor, and `torch.device(2)`."""
    default_device._device_constructors()  # remembers the functions, and must know the real ones
    for name in _FUNCTIONS:
        replace(torch, name, _translating(getattr(torch, name)))
    replace(torch, "tensor", _of_numbers(torch.tensor))
    for name in _METHODS:
        setattr(Tensor, name, _translating(getattr(Tensor, name)))
    setattr(default_device.DeviceContext, "__torch_function__", _by_default)  # noqa: B010
    setattr(torch, "device", _DeviceFace)  # noqa: B010 - it is a type to mypy


def _translating(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def create(*args: Any, **kwargs: Any) -> Any:
        if kwargs.get("device") is not None:
            kwargs["device"] = to_carrier(kwargs["device"])
        if "generator" in kwargs:
            generators.check_home(args, kwargs)
        if kwargs.pop("pin_memory", False):
            return function(*args, **kwargs).pin_memory()
        return function(*args, **kwargs)

    return create


def _by_default(
    self: default_device.DeviceContext,
    func: Any,
    types: Any,  # noqa: ARG001 - torch's signature
    args: Any = (),
    kwargs: Any = None,
) -> Any:
    """What `with torch.device("cuda:1")` adds to a function that creates a tensor."""
    kwargs = kwargs or {}
    if kwargs.get("device") is None and func in default_device._device_constructors():
        kwargs["device"] = to_carrier(self.device)
    return func(*args, **kwargs)


def _of_numbers(tensor: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """torch.tensor([loss, loss]) reads the numbers of tensors in lists, one by one."""

    @functools.wraps(tensor)
    def create(data: Any, **kwargs: Any) -> Tensor:
        return tensor(_numbers(data) if isinstance(data, (list, tuple)) else data, **kwargs)

    return create


def _numbers(data: Any) -> Any:
    if isinstance(data, (list, tuple)):
        return [_numbers(item) for item in data]
    return data.item() if isinstance(data, VirtualTensor) else data


class _DeviceType(type):
    """Makes a class that stands for torch.device: same instances, and 2 means cuda:2."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        if len(args) == 1 and type(args[0]) is int and not kwargs:
            return Device("cuda", args[0])
        return Device(*args, **kwargs)

    def __instancecheck__(cls, instance: Any) -> bool:
        return type(instance) is Device

    def __subclasscheck__(cls, subclass: type) -> bool:
        return subclass is cls or subclass is Device

    def __eq__(cls, other: object) -> bool:
        return other is cls or other is Device

    def __hash__(cls) -> int:
        return hash(Device)


class _DeviceFace(metaclass=_DeviceType):
    """torch.device, which on a build without CUDA refuses bare numbers."""


_DeviceFace.__module__, _DeviceFace.__qualname__, _DeviceFace.__name__ = "torch", "device", "device"
