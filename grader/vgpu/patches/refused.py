"""What virtual GPUs do not have, said by name where torch would fail in its own words, or not."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from multiprocessing.reduction import ForkingPickler
from typing import Any, NoReturn

import torch
import torch.multiprocessing  # its own rules for tensors come first

from grader.vgpu import devices
from grader.vgpu.patches.replacing import replace
from grader.vgpu.tensor import VirtualTensor

_SPARSE = (
    *("sparse_coo_tensor", "sparse_csr_tensor", "sparse_csc_tensor"),
    *("sparse_bsr_tensor", "sparse_bsc_tensor", "sparse_compressed_tensor"),
)
_NESTED = ("nested_tensor", "as_nested_tensor")


def install() -> None:
    for name in _SPARSE:
        _refuse(torch, name, "sparse tensors: make it on the CPU, and move to_dense() of it")
    for name in _NESTED:
        _refuse(torch.nested, name, "nested tensors: move its parts, or to_padded_tensor() of it")
    for name, method in _METHODS.items():
        setattr(VirtualTensor, name, method)
    _refuse(torch.utils.dlpack, "to_dlpack", _NO_SHARING)
    profile = torch.autograd.profiler.profile
    setattr(profile, "__init__", _without_cuda(profile.__init__))  # noqa: B010
    ForkingPickler.register(VirtualTensor, _reduce)


def refusal(what: str) -> NotImplementedError:
    return NotImplementedError(f"virtual GPUs do not have {what}")


# ---------------------------------------------------------------------- functions


def _refuse(module: Any, name: str, what: str) -> None:
    """Let `module.name` work on the CPU only."""
    original: Callable[..., Any] = getattr(module, name)

    @functools.wraps(original)
    def run(*args: Any, **kwargs: Any) -> Any:
        if _on_gpu(kwargs.get("device"), *args, *kwargs.values()):
            raise refusal(what)
        return original(*args, **kwargs)

    replace(module, name, run)


def _on_gpu(device: Any, *values: Any) -> bool:
    if device is not None:
        return devices.place(device) is not None
    return any(
        type(item) is VirtualTensor
        for value in values
        for item in (value if isinstance(value, (list, tuple)) else (value,))
    )


# ---------------------------------------------------------------------- methods

_NO_SHARING = "DLPack: their memory is not a device's; give x.cpu() instead"


def _as_subclass(self: VirtualTensor, kind: type) -> Any:  # noqa: ARG001
    raise refusal(f"tensor subclasses such as {kind.__name__}: keep it on the CPU, or a plain one")


def _dlpack(self: VirtualTensor, *_: Any, **__: Any) -> NoReturn:  # noqa: ARG001
    raise BufferError(f"virtual GPUs do not have {_NO_SHARING}")


def _array_interface(self: VirtualTensor) -> NoReturn:  # noqa: ARG001
    raise AttributeError(
        "virtual GPUs do not have __cuda_array_interface__: give x.cpu().numpy() instead"
    )


def _reduce(tensor: VirtualTensor) -> NoReturn:  # noqa: ARG001
    raise refusal("tensors shared between processes: send x.cpu(), and move it there")


_METHODS = {
    "as_subclass": _as_subclass,
    "__dlpack__": _dlpack,
    "__cuda_array_interface__": property(_array_interface),
}


# ---------------------------------------------------------------------- the profiler


def _without_cuda(start: Callable[..., None]) -> Callable[..., None]:
    """Profile the host only: torch would ask a driver for the times of GPUs."""

    @functools.wraps(start)
    def run(self: Any, *args: Any, **kwargs: Any) -> None:
        if kwargs.get("use_device") == "cuda" or kwargs.get("use_cuda"):
            warnings.warn("virtual GPUs do not have CUDA times in a profile", stacklevel=3)
            kwargs["use_device"] = None
            kwargs.pop("use_cuda", None)
        start(self, *args, **kwargs)

    return run
