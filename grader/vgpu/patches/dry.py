"""Dry mode: what a script makes on the host has no data either, if it is large.

Small tensors of the host keep their numbers, so that sizes, indices and prints are what they would
be; weights and batches are only shapes, on the carrier's last index, which shows as "cpu".
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch

from grader.trace import HOST
from grader.vgpu import devices

#: From this many bytes on, a tensor of the host is a shape.
LARGE = 1 << 20

_SIZED = (
    *("arange", "empty", "empty_strided", "eye", "full", "linspace", "logspace", "ones", "rand"),
    *("randint", "randn", "randperm", "zeros"),
)


def install() -> None:
    if not devices.is_dry():
        return
    for name in _SIZED:
        setattr(torch, name, _without_data(getattr(torch, name)))
    setattr(torch.amp.GradScaler, "_maybe_opt_step", _step)  # noqa: B010


def _step(
    self: torch.amp.GradScaler,  # noqa: ARG001 - torch's signature
    optimizer: torch.optim.Optimizer,
    state: Any,  # noqa: ARG001
    *args: Any,
    **kwargs: Any,
) -> Any:
    """A step that does not overflow, which nobody can tell without numbers."""
    return optimizer.step(*args, **kwargs)


def _without_data(function: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    @functools.wraps(function)
    def create(*args: Any, **kwargs: Any) -> torch.Tensor:
        device = kwargs.get("device")
        if devices.place(torch.get_default_device() if device is None else device) == HOST:
            outline = {k: v for k, v in kwargs.items() if k not in ("generator", "pin_memory")}
            if function(*args, **{**outline, "device": "meta"}).nbytes >= LARGE:
                kwargs["device"] = devices.carrier(HOST)
        return function(*args, **kwargs)

    return create
