"""What CUDA says when the tensors of one op are on different devices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

Named = list[tuple[str, Tensor]]

#: Ops that take indices, or their own bookkeeping, from the CPU.
_WITH_HOST = frozenset(
    f"aten::{name}"
    for name in (
        *("index", "index_put", "index_put_", "_index_put_impl_", "_unsafe_index"),
        *("_unsafe_index_put", "_amp_update_scale_"),
    )
)
#: Ops that CUDA builds on its element-wise iterator, which speaks for them, beside those that
#: torch tags as pointwise.
_ELEMENTWISE = frozenset(
    f"aten::{name}"
    for name in (
        *("mse_loss", "smooth_l1_loss", "huber_loss", "mse_loss_backward", "lerp"),
        *("smooth_l1_loss_backward", "huber_loss_backward", "where", "masked_fill"),
    )
)
#: Kernels that the CUDA build names "addmm"; all others it names "_index_select", or
#: "Tensor_bucketize" with an overload ("wrapper_CUDA_" before either).
_STRUCTURED = frozenset(
    (
        *("addmm", "addmv", "baddbmm", "bmm", "cat", "gather", "index_add", "index_copy", "mm"),
        *("nll_loss_backward", "nll_loss_forward", "scatter_add", "silu", "topk"),
    )
)
#: Ops that CUDA serves with another: (its kernel, {our argument: the kernel's}).
_SERVED_BY = {
    "embedding": ("_index_select", {"weight": "self", "indices": "index"}),
    "_native_batch_norm_legit": ("_native_batch_norm", {}),
    "stack": ("cat", {}),
}


def takes_host_tensors(name: str) -> bool:
    return name in _WITH_HOST


def error(func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> RuntimeError:
    """The exception CUDA raises for this call, whose tensors are on several devices."""
    tensors = list(_tensors(func, args, kwargs))
    name = func._schema.name
    if name == "aten::convolution":
        return _convolution(tensors)
    if name in _WITH_HOST:
        return RuntimeError(
            "indices should be either on cpu or on the same device as the indexed tensor "
            f"({tensors[0][1].device})"
        )
    if name in _ELEMENTWISE or torch.Tag.pointwise in func.tags or name.endswith("_"):
        return _elementwise([tensor for _, tensor in tensors])
    return _checked(func, tensors)


def _checked(func: Any, tensors: Named) -> RuntimeError:
    """Kernels are wrapped in a check: the first tensor says where the others should be."""
    short = func._schema.name.split("::")[1]
    overload = func._schema.overload_name
    kernel, renamed = _SERVED_BY.get(short, ("", {}))
    if not kernel:
        kernel = short if short in _STRUCTURED else f"{overload}_{short}"
    common = tensors[0][1].device
    name, odd = next((n, t) for n, t in tensors if t.device != common)
    return RuntimeError(
        f"Expected all tensors to be on the same device, but got {renamed.get(name, name)} is on "
        f"{odd.device}, different from other tensors on {common} (when checking argument in "
        f"method wrapper_CUDA_{kernel})"
    )


def _elementwise(tensors: list[Tensor]) -> RuntimeError:
    """The iterator works where the first GPU tensor is, and takes single numbers from the CPU."""
    common = next(t.device for t in tensors if t.is_cuda)
    other = next(t.device for t in tensors if t.device != common and (t.is_cuda or t.dim()))
    return RuntimeError(
        "Expected all tensors to be on the same device, but found at least two devices, "
        f"{common} and {other}!"
    )


def _convolution(tensors: Named) -> RuntimeError:
    """Convolutions compare types before any kernel does."""
    (_, data), *rest = tensors
    name, odd = next((n, t) for n, t in rest if t.device != data.device)
    kinds = f"Input type ({data.type()}) and {name} type ({odd.type()}) should be the same"
    if not data.is_cuda:
        kinds += f" or input should be a MKLDNN tensor and {name} is a dense tensor"
    elif odd.is_cuda:  # same type, another GPU: left to the kernel
        kinds = (
            "Expected all tensors to be on the same device, but found at least two devices, "
            f"{data.device} and {odd.device}!"
        )
    return RuntimeError(kinds)


def _tensors(
    func: Any, args: Sequence[Any], kwargs: dict[str, Any]
) -> Iterator[tuple[str, Tensor]]:
    """Every tensor among the arguments, with the name of its argument."""
    names = [argument.name for argument in func._schema.arguments]
    for name, value in [*zip(names, args, strict=False), *kwargs.items()]:
        for item in value if isinstance(value, (list, tuple)) else (value,):
            if isinstance(item, Tensor):
                yield name, item
