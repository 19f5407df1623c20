"""Zeros that autograd only writes down: forward-mode derivatives of what does not vary.

They carry torch's ZeroTensor key, as on every device: products with them are zero without being
computed, and where that cannot be, torch makes real zeros of them before an op gets here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from grader.vgpu import devices
from grader.vgpu.dispatch import register
from grader.vgpu.tensor import CAST, wrap

_KEYS = CAST | torch._C.DispatchKeySet(torch._C.DispatchKey.ZeroTensor)


@register("aten::_efficientzerotensor")
def _zeros(func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:  # noqa: ARG001
    gpu = devices.place(kwargs["device"])
    if gpu is None:
        raise AssertionError("zeros of another device came to virtual GPUs")
    inner = torch.zeros((), dtype=kwargs.get("dtype"), device=devices.backend().device(gpu))
    return wrap(inner.expand(args[0]), gpu, keys=_KEYS)
