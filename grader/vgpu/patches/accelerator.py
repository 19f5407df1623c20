"""torch.accelerator: the same GPUs by the name that all makers' share.

torch's own functions stay, with their checks of arguments; what they ask of C++ is answered here.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import accelerator

from grader.vgpu import devices
from grader.vgpu.patches import cuda, cuda_memory, generators, streams


def current_accelerator(check_available: bool = False) -> torch.device | None:  # noqa: ARG001
    """cuda, without an index; None on a machine without GPUs."""
    return devices.Device("cuda") if cuda.is_available() else None


def current_device_index() -> int:
    return cuda.current_device()


def _capability(device: Any = None) -> dict[str, Any]:
    """Tensors of every dtype but the quantized ones."""
    devices.index_of(device)
    found = {v for v in vars(torch).values() if isinstance(v, torch.dtype)}
    return {
        "supported_dtypes": {d for d in found if not str(d).startswith(("torch.q", "torch.bits"))}
    }


def _empty_host_cache() -> None:
    """Pinned memory of the host is not kept for later."""


_ANSWERS = {
    "getAccelerator": current_accelerator,
    "deviceCount": cuda.device_count,
    "getDeviceIndex": cuda.current_device,
    "setDeviceIndex": cuda.set_device,
    "exchangeDevice": devices.set_current,
    "maybeExchangeDevice": devices.set_current,
    "getDeviceCapability": _capability,
    "getStream": streams.current_stream,
    "setStream": streams.set_stream,
    "synchronizeDevice": cuda.synchronize,
    "isAllocatorInitialized": devices.is_initialized,
    "emptyCache": cuda_memory.empty_cache,
    "emptyHostCache": _empty_host_cache,
    "getDeviceStats": cuda_memory.memory_stats_as_nested_dict,
    "resetAccumulatedStats": cuda_memory.reset_accumulated_memory_stats,
    "resetPeakStats": cuda_memory.reset_peak_memory_stats,
    "getMemoryInfo": cuda_memory.mem_get_info,
    "getDefaultGenerator": generators.default,
}
_FUNCTIONS = {
    "current_accelerator": current_accelerator,
    "device_count": cuda.device_count,
    "is_available": cuda.is_available,
    "current_device_idx": current_device_index,
    "current_device_index": current_device_index,
}


def install() -> None:
    vars(torch._C).update({f"_accelerator_{name}": value for name, value in _ANSWERS.items()})
    for name, function in _FUNCTIONS.items():
        if hasattr(accelerator, name):
            setattr(accelerator, name, function)
