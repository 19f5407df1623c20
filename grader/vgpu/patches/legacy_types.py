"""torch.cuda.FloatTensor and kin: types that older scripts call, name and check against."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, cuda

from grader.trace import HOST
from grader.vgpu.tensor import VirtualTensor

_DTYPES = {
    "BFloat16Tensor": torch.bfloat16,
    "BoolTensor": torch.bool,
    "ByteTensor": torch.uint8,
    "CharTensor": torch.int8,
    "DoubleTensor": torch.float64,
    "FloatTensor": torch.float32,
    "HalfTensor": torch.float16,
    "IntTensor": torch.int32,
    "LongTensor": torch.int64,
    "ShortTensor": torch.int16,
}

_set_default_tensor_type = torch.set_default_tensor_type
_tensor_type = Tensor.type


class LegacyType(type):
    """A type of tensors on GPUs: an instance is any tensor of its dtype there."""

    dtype: torch.dtype
    is_cuda = True
    is_sparse = False
    layout = torch.strided

    def __instancecheck__(cls, instance: Any) -> bool:
        return cls.holds(instance)

    def holds(cls, instance: Any) -> bool:
        on_gpu = type(instance) is VirtualTensor and instance._gpu != HOST
        return on_gpu and instance.dtype == cls.dtype

    def __call__(cls, *args: Any, size: Any = None, device: Any = "cuda") -> Tensor:
        where = torch.device(device)
        if where.type != "cuda":
            raise RuntimeError(
                f"legacy constructor expects device type: cuda but device type: {where.type} "
                "was passed"
            )
        if size is not None:
            return torch.empty(size, dtype=cls.dtype, device=where)
        if len(args) == 1 and isinstance(args[0], Tensor):
            return _alias(cls, args[0])
        if len(args) == 1 and type(args[0]) in (list, tuple):
            return torch.tensor(args[0], dtype=cls.dtype, device=where)
        return torch.empty(*args or (0,), dtype=cls.dtype, device=where)

    def __repr__(cls) -> str:
        return f"<class 'torch.cuda.{cls.__name__}'>"


def _alias(kind: LegacyType, tensor: Tensor) -> Tensor:
    if not kind.holds(tensor):
        raise TypeError(f"expected torch.cuda.{kind.__name__} (got {tensor.type()})")
    return tensor.detach()


def _make(name: str, dtype: torch.dtype) -> LegacyType:
    return LegacyType(name, (), {"dtype": dtype, "__module__": "torch.cuda"})


_TYPES = {name: _make(name, dtype) for name, dtype in _DTYPES.items()}


def find(kind: Any) -> LegacyType | None:
    """The type of GPUs' tensors that a name or class is; None for any other."""
    if isinstance(kind, LegacyType):
        return kind
    if isinstance(kind, str) and kind.startswith("torch.cuda."):
        return _TYPES.get(kind.removeprefix("torch.cuda."))
    return None


def set_default_tensor_type(t: Any, /) -> None:
    """As torch's; a type of GPUs makes the current GPU the default device."""
    kind = find(t)
    if kind is None:
        torch.set_default_device(None)
        _set_default_tensor_type(t)
        return
    if not kind.dtype.is_floating_point:
        raise TypeError("only floating-point types are supported as the default type")
    torch.set_default_dtype(kind.dtype)
    torch.set_default_device("cuda")


def _type_of_host(self: Tensor, dtype: Any = None, non_blocking: bool = False, **rest: Any) -> Any:
    """Tensor.type for tensors of the host, which may ask for a type of GPUs."""
    kind = find(dtype)
    if kind is not None:
        return self.to("cuda", kind.dtype, non_blocking=non_blocking)
    if dtype is None:
        return _tensor_type(self)
    return _tensor_type(self, dtype, non_blocking, **rest)


def install() -> None:
    for name, kind in _TYPES.items():
        setattr(cuda, name, kind)
    setattr(Tensor, "type", _type_of_host)  # noqa: B010 - its overloads are torch's
    setattr(torch, "set_default_tensor_type", set_default_tensor_type)  # noqa: B010
