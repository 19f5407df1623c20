"""The two builds of torch, CPU only and CUDA, and how device="cuda" reaches us on each.

On the CPU build nothing serves the CUDA key, so one fallback catches it. On the CUDA build that
key has kernels, which ask for a driver: the few that create tensors are replaced. All other ops
start from a tensor, and ours are on the carrier. cuDNN is switched off: tensors that say they are
on CUDA would be handed to it. Where data live on a real GPU, all of this stays torch's own, and
only the carrier leads here.
"""

from __future__ import annotations

import warnings
from typing import Any

import torch

from grader.vgpu import devices, dispatch
from grader.vgpu.tensor import VirtualTensor

_CREATING = (
    *("empty.memory_format", "empty_strided", "scalar_tensor", "randperm", "randperm.generator"),
    *("_to_copy", "tril_indices", "triu_indices", "arange.start_step", "linspace", "logspace"),
    *("eye", "eye.m", "from_file", "_cudnn_init_dropout_state", "_efficientzerotensor"),
    *("empty_quantized",),
)

#: Registrations last as long as their library.
_libraries: list[Any] = []
_is_acceptable: Any = torch.backends.cudnn.is_acceptable

#: torch leaves this class untyped.
Library: Any = torch.library.Library


def has_cuda_kernels() -> bool:
    return torch.version.cuda is not None or torch.version.hip is not None


def install() -> None:
    """Lead ops that only a device argument brings here to `dispatch`."""
    if _libraries:  # before this process was forked
        return
    library = Library("_", "IMPL")
    _libraries.append(library)
    library.fallback(_run, devices.CARRIER.capitalize())
    if not devices.backend().needs_cuda_kernels:
        if has_cuda_kernels():
            _replace_kernels()
        else:
            library.fallback(_run, "CUDA")
        torch._C._set_cudnn_enabled(False)
    setattr(torch.backends.cudnn, "is_acceptable", _acceptable)  # noqa: B010
    torch._C._set_only_lift_cpu_tensors(True)


def _run(op: Any, *args: Any, **kwargs: Any) -> Any:
    return dispatch.execute(op, (), args, kwargs)


def _acceptable(tensor: torch.Tensor) -> bool:
    """Whether modules may hand a tensor to cuDNN themselves: not a virtual one."""
    return type(tensor) is not VirtualTensor and bool(_is_acceptable(tensor))


def _replace_kernels() -> None:
    library = Library("aten", "IMPL")
    _libraries.append(library)
    for name in _CREATING:
        base, _, overload = name.partition(".")
        packet = getattr(torch.ops.aten, base, None)
        op = getattr(packet, overload or "default", None)
        if op is not None:
            override(library, op, _bound(op), "CUDA")


def _bound(op: Any) -> Any:
    def kernel(*args: Any, **kwargs: Any) -> Any:
        return dispatch.execute(op, (), args, kwargs)

    return kernel


def override(library: Any, op: Any, kernel: Any, key: str) -> None:
    """Put `kernel` in the place of torch's own, which torch would warn of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        library.impl(op, kernel, key, allow_override=True)
