"""nn.SyncBatchNorm: the five ops it stands on, which torch has for CUDA only.

Formulas of torch/native/cuda/Normalization.cuh. Statistics are per channel (dimension 1), in
float32 for half precision.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from grader.vgpu import dispatch


def install() -> None:
    for function in (
        batch_norm_stats,
        batch_norm_gather_stats_with_counts,
        batch_norm_elemt,
        batch_norm_backward_reduce,
        batch_norm_backward_elemt,
    ):
        dispatch.register(f"aten::{function.__name__}")(_handler(function))


def _handler(function: Callable[..., Any]) -> dispatch.Handler:
    def run(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:  # noqa: ARG001
        return function(*args, **kwargs)

    return run


def batch_norm_stats(x: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """Mean and 1 / sqrt(variance + eps) of each channel."""
    variance, mean = torch.var_mean(_wide(x), _all_but_channels(x), correction=0)
    return mean, (variance + eps).rsqrt()


def batch_norm_gather_stats_with_counts(
    x: Tensor,  # noqa: ARG001 - torch's signature
    mean: Tensor,
    invstd: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    momentum: float,
    eps: float,
    counts: Tensor,
) -> tuple[Tensor, Tensor]:
    """Statistics of all ranks, (ranks, channels) each, as those of one batch."""
    share = (counts / counts.sum()).view(-1, 1)
    whole = (mean * share).sum(0)
    variances = invstd.pow(-2) - eps + (mean - whole).square()
    variance = (variances * share).sum(0)
    if running_mean is not None:
        running_mean.lerp_(whole.to(running_mean.dtype), momentum)
    if running_var is not None:
        total = counts.sum()
        unbiased = variance * (total / (total - 1))
        running_var.lerp_(unbiased.to(running_var.dtype), momentum)
    return whole, (variance + eps).rsqrt()


def batch_norm_elemt(
    x: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    mean: Tensor,
    invstd: Tensor,
    eps: float,  # noqa: ARG001 - part of invstd already
) -> Tensor:
    out = (_wide(x) - _channels(mean, x)) * _channels(invstd, x)
    if weight is not None:
        out = out * _channels(weight, x)
    if bias is not None:
        out = out + _channels(bias, x)
    return out.to(x.dtype)


def batch_norm_backward_reduce(
    grad: Tensor,
    x: Tensor,
    mean: Tensor,
    invstd: Tensor,
    weight: Tensor | None,
    input_g: bool,  # noqa: ARG001 - the sums are cheap
    weight_g: bool,
    bias_g: bool,
) -> tuple[Tensor, Tensor, Tensor | None, Tensor | None]:
    """Sums over this rank's batch: of gradients, and of gradients times centred inputs."""
    rest = _all_but_channels(x)
    sums = _wide(grad).sum(rest)
    centred = (_wide(grad) * (_wide(x) - _channels(mean, x))).sum(rest)
    dtype = sums.dtype if weight is None else weight.dtype
    grad_weight = (centred * invstd).to(dtype) if weight_g else None
    return sums, centred, grad_weight, sums.to(dtype) if bias_g else None


def batch_norm_backward_elemt(
    grad: Tensor,
    x: Tensor,
    mean: Tensor,
    invstd: Tensor,
    weight: Tensor | None,
    sums: Tensor,
    centred: Tensor,
    counts: Tensor,
) -> Tensor:
    """The input's gradient, from the sums over all ranks."""
    total = counts.sum()
    slope = _channels(centred / total * invstd.square(), x)
    scale = invstd if weight is None else invstd * weight
    inside = _wide(grad) - _channels(sums / total, x) - (_wide(x) - _channels(mean, x)) * slope
    return (inside * _channels(scale, x)).to(x.dtype)


def _all_but_channels(x: Tensor) -> list[int]:
    return [dim for dim in range(x.dim()) if dim != 1]


def _channels(values: Tensor, like: Tensor) -> Tensor:
    return values.view(1, -1, *[1] * (like.dim() - 2))


def _wide(x: Tensor) -> Tensor:
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
