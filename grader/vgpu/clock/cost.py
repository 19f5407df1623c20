"""How long one op takes: the roofline, max(FLOPs / peak, bytes / memory bandwidth).

FLOPs are those of torch.utils.flop_counter (matrix products, convolutions, attention; everything
else is bound by memory). Every tensor is taken to be read or written once, nothing to be in cache.
A real kernel is slower than its roofline, the more so the smaller it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils.flop_counter import flop_registry

from grader.vgpu.arguments import tensors_in
from grader.vgpu.clock.spec import GpuSpec

#: Ops that only look at their input in another way, though their schema does not say so.
_VIEWS = frozenset(
    f"aten::{name}"
    for name in (
        *("detach", "lift", "lift_fresh", "alias", "_reshape_alias", "_unsafe_view"),
        *("unsafe_split", "unsafe_split_with_sizes", "unsafe_chunk"),
    )
)
#: Ops that touch no data.
_EMPTY = ("aten::empty", "aten::new_empty", "aten::resize", "aten::_efficientzerotensor")
#: Ops that write an argument without reading it, beside those that draw random numbers.
_FILLS = frozenset(("aten::zero_", "aten::fill_", "aten::copy_"))
#: Ops that read of their first tensor only what they return.
_GATHERS = frozenset(
    f"aten::{name}" for name in ("embedding", "gather", "index", "index_select", "take")
)


#: FLOPs of one kernel, and the tensors that it reads and writes.
_Kernel = tuple[int, Sequence[Any]]


class Cost(NamedTuple):
    seconds: float
    bytes: int  # read and written


@dataclass(frozen=True)
class _Plan:
    """What the schema of an op says about its cost."""

    free: bool
    flops: Callable[..., int] | None
    convolves: bool
    fills: bool  # its result is not read before
    gathers: bool
    writes: tuple[int, ...]  # arguments it writes without returning them
    outputs: frozenset[str]  # names of the out= arguments
    kernels: Callable[[Sequence[Any], Any], list[_Kernel]] | None  # of an op that runs several


_plans: dict[Any, _Plan] = {}


def is_free(func: Any) -> bool:
    """Whether the op touches no data: views, metadata, memory that is not written yet."""
    return _plan(func).free


def estimate(
    spec: GpuSpec, func: Any, args: Sequence[Any], kwargs: dict[str, Any], result: Any
) -> Cost:
    """Time and bytes of one op on `spec`, from its tensors (of any device, meta included)."""
    plan = _plan(func)
    if plan.free:
        return Cost(0.0, 0)
    if plan.kernels is not None:
        parts = [_product(spec, *kernel) for kernel in plan.kernels(args, result)]
        return Cost(sum(part.seconds for part in parts), sum(part.bytes for part in parts))
    size = _bytes(plan, args, kwargs, result)
    seconds = size / spec.bandwidth
    if plan.flops is not None:
        flops = plan.flops(*args, **kwargs, out_val=result)
        peak = spec.peak(_precision(spec, args, convolves=plan.convolves))
        seconds = max(seconds, flops / peak)
    return Cost(seconds, size)


def _plan(func: Any) -> _Plan:
    plan = _plans.get(func)
    if plan is None:
        plan = _plans[func] = _study(func)
    return plan


def _study(func: Any) -> _Plan:
    schema = func._schema
    name = schema.name
    written = [a.alias_info is not None and a.alias_info.is_write for a in schema.arguments]
    aliases = any(r.alias_info is not None for r in schema.returns)
    views = name in _VIEWS or (aliases and not any(written))
    metadata = torch.Tag.inplace_view in func.tags or name.startswith(_EMPTY)
    draws = torch.Tag.nondeterministic_seeded in func.tags
    return _Plan(
        free=views or metadata,
        flops=flop_registry.get(func.overloadpacket),
        convolves="convolution" in name,
        fills=name in _FILLS or (draws and any(written)),
        gathers=name in _GATHERS,
        writes=() if aliases else tuple(i for i, w in enumerate(written) if w),
        outputs=frozenset(a.name for a in schema.arguments if a.is_out),
        kernels=_KERNELS.get(name),
    )


def _product(spec: GpuSpec, flops: int, tensors: Sequence[Any]) -> Cost:
    """What one kernel takes."""
    size = sum(map(_size, tensors_in(tensors)))
    peak = spec.peak(_precision(spec, tensors, convolves=False))
    return Cost(max(flops / peak, size / spec.bandwidth), size)


def _linear(args: Sequence[Any], result: Any) -> list[_Kernel]:
    """One product, with the bias added on the way."""
    x, weight, *_ = args
    return [(2 * x.numel() * (weight.numel() // weight.shape[-1]), [*args, result])]


def _linear_backward(args: Sequence[Any], result: Any) -> list[_Kernel]:
    """A product each for the gradients of input and weight, a sum for that of the bias."""
    x, grad, weight, _ = args
    of_x, of_weight, of_bias = result
    flops = 2 * x.numel() * (weight.numel() // weight.shape[-1])
    kernels = [
        (flops, [grad, weight, of_x]),
        (flops, [grad, x, of_weight]),
        (0, [grad, of_bias]),
    ]
    return [kernel for kernel in kernels if kernel[1][-1] is not None]


#: Ops that torch's table of FLOPs does not know.
_KERNELS = {"aten::linear": _linear, "aten::linear_backward": _linear_backward}


def _bytes(plan: _Plan, args: Sequence[Any], kwargs: dict[str, Any], result: Any) -> int:
    out = sum(map(_size, tensors_in((result,))))
    if plan.fills:
        return out + sum(map(_size, tensors_in(args[1:])))
    if plan.gathers:
        return 2 * out + sum(map(_size, tensors_in(args[1:])))
    named = [value for name, value in kwargs.items() if name not in plan.outputs]
    again = [args[i] for i in plan.writes if i < len(args)]
    return out + sum(map(_size, tensors_in((args, named, again))))


def _size(tensor: Tensor) -> int:
    """Bytes of data behind a tensor; those of an expanded one count once."""
    size = tensor.numel() * tensor.element_size()
    if tensor.layout is torch.strided:
        return min(size, tensor.untyped_storage().nbytes())
    return size


def _precision(spec: GpuSpec, args: Sequence[Any], *, convolves: bool) -> str:
    """The dtype that matrix units work in; float32 is rounded to TF32 where torch may."""
    dtype = next((t.dtype for t in tensors_in(args)), torch.float32)
    if dtype is torch.float32 and "tf32" in spec.flops:
        cudnn: Any = torch.backends.cudnn  # torch leaves it untyped
        backend = cudnn.conv if convolves else torch.backends.cuda.matmul
        if backend.fp32_precision == "tf32":
            return "tf32"
    return str(dtype).removeprefix("torch.")
