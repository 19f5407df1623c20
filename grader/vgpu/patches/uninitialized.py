"""Parameters without a shape yet (nn.LazyLinear) that are to live on a GPU.

They hold no data, so they stay plain and remember their GPU until they get a shape.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import parameter
from torch.nn.parameter import UninitializedBuffer, UninitializedParameter

from grader.vgpu import devices
from grader.vgpu.patches import tensors
from grader.vgpu.patches.tensors import parse_to

Uninitialized: Any = parameter.UninitializedTensorMixin  # type: ignore[attr-defined] # not in the stub
_materialize = Uninitialized.materialize


def install() -> None:
    for maker in (UninitializedParameter, UninitializedBuffer):
        setattr(maker, "__new__", _creating(maker.__new__))  # noqa: B010 - assigned to a type
    setattr(UninitializedParameter, "__deepcopy__", _deepcopy)  # noqa: B010
    face = {
        "to": to,
        "cuda": lambda self, device=None: to(self, devices.shown(devices.index_of(device))),
        "cpu": lambda self: to(self, "cpu"),
        "data": property(Tensor.data.__get__, _set_data),  # type: ignore[attr-defined]
        "device": property(_device),
        "is_cuda": property(lambda self: _device(self).type == "cuda"),
        "get_device": lambda self: -1 if _home(self) is None else _home(self),
        "materialize": materialize,
    }
    for name, value in face.items():
        setattr(Uninitialized, name, value)


def _creating(new: Callable[..., Any]) -> Callable[..., Any]:
    signature = inspect.signature(new)

    def create(*args: Any, **kwargs: Any) -> Any:
        given = signature.bind(*args, **kwargs).arguments
        device = given.get("device")
        gpu = None if device is None else devices.place(device)
        made = new(**{**given, "device": device if gpu is None else "cpu"})
        made._home = gpu
        return made

    return create


def _home(self: Any) -> int | None:
    """The GPU it will be on; None for the CPU."""
    gpu: int | None = self.__dict__.get("_home")
    return gpu


def _device(self: Any) -> torch.device:
    gpu = _home(self)
    return devices.Device("cpu") if gpu is None else devices.shown(gpu)


def to(self: Any, *args: Any, **kwargs: Any) -> Any:
    device, dtype, *_ = parse_to(*args, **kwargs)
    gpu = _home(self) if device is None else devices.place(device)
    where = None if gpu is None else devices.shown(gpu)
    return type(self)(self.requires_grad, where, dtype or self.dtype)


def _set_data(self: Any, new: Tensor) -> None:
    tensors.set_data(self, new)
    if isinstance(new, Uninitialized):
        self._home = _home(new)


def _deepcopy(self: Any, memo: dict[int, Any]) -> Any:
    if id(self) not in memo:
        memo[id(self)] = type(self)(self.requires_grad, _device(self), self.dtype)
    return memo[id(self)]


def materialize(self: Any, shape: Any, device: Any = None, dtype: Any = None) -> None:
    """Take a shape, and the GPU's memory with it."""
    gpu = _home(self) if device is None else devices.place(device)
    _materialize(self, shape, device if gpu is None else "cpu", dtype)
    if gpu is not None:
        self.data = torch.empty(shape, dtype=self.dtype, device=devices.shown(gpu))
