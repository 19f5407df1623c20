"""torch.cuda for virtual GPUs: counting, choosing, naming, memory and seeds.

Functions carry the names they have in torch.cuda; `install` puts them there.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any, NamedTuple

import torch
from torch import accelerator, cuda

from grader.vgpu import devices, memory
from grader.vgpu.explain import note
from grader.vgpu.patches import streams

NAME = "Virtual GPU"


class DeviceProperties(NamedTuple):
    """What torch.cuda.get_device_properties answers; memory in bytes."""

    total_memory: int
    name: str = NAME
    major: int = 8
    minor: int = 0
    multi_processor_count: int = 108
    warp_size: int = 32
    max_threads_per_multi_processor: int = 2048
    is_integrated: int = 0
    is_multi_gpu_board: int = 0


# ---------------------------------------------------------------------- counting and choosing


def is_available() -> bool:
    return devices.settle() > 0


def device_count() -> int:
    return devices.count()


def is_initialized() -> bool:
    return devices.is_initialized()


def init() -> None:
    devices.initialize()


_lazy_init = init


def current_device() -> int:
    devices.initialize()
    return devices.current()


def set_device(device: Any) -> None:
    devices.set_current(cuda._utils._get_device_index(device))


def _exchange_device(device: int) -> int:
    return devices.set_current(device)


_maybe_exchange_device = _exchange_device


def synchronize(device: Any = None) -> None:
    """Wait for the numbers, and for simulated time."""
    gpu = devices.index_of(device)
    devices.backend().synchronize()
    streams.synchronize(gpu)


def can_device_access_peer(device: Any, peer_device: Any) -> bool:
    return _known(device) != _known(peer_device)


# ---------------------------------------------------------------------- what a GPU is


def get_device_name(device: Any = None) -> str:
    return get_device_properties(device).name


def get_device_capability(device: Any = None) -> tuple[int, int]:
    properties = get_device_properties(device)
    return properties.major, properties.minor


def get_device_properties(device: Any = None) -> DeviceProperties:
    _known(device)
    return DeviceProperties(total_memory=memory.CAPACITY)


def _known(device: Any) -> int:
    devices.initialize()
    index = cuda._utils._get_device_index(device, optional=True)
    if not 0 <= index < devices.count():
        raise note(AssertionError("Invalid device id"), f"cuda:{index}")
    return int(index)


def is_bf16_supported(including_emulation: bool = True) -> bool:  # noqa: ARG001
    return is_available()


def is_tf32_supported() -> bool:
    return is_available()


def is_current_stream_capturing() -> bool:
    return False


# ---------------------------------------------------------------------- memory


def _ledger(device: Any) -> int:
    """The GPU whose memory is asked about, or what the allocator says of an unknown one."""
    index = cuda._utils._get_device_index(device, optional=True)
    if not 0 <= index < devices.count():
        raise RuntimeError(f"Invalid device argument {index}: did you call init?")
    return devices.index_of(index)


def memory_allocated(device: Any = None) -> int:
    return memory.allocated(_ledger(device)) if devices.is_initialized() else 0


def max_memory_allocated(device: Any = None) -> int:
    return memory.peak(_ledger(device)) if devices.is_initialized() else 0


def memory_reserved(device: Any = None) -> int:
    return memory.reserved(_ledger(device)) if devices.is_initialized() else 0


def max_memory_reserved(device: Any = None) -> int:
    return memory.peak_reserved(_ledger(device)) if devices.is_initialized() else 0


memory_cached = memory_reserved
max_memory_cached = max_memory_reserved


def reset_peak_memory_stats(device: Any = None) -> None:
    memory.reset_peak(_ledger(device))


reset_max_memory_allocated = reset_peak_memory_stats
reset_max_memory_cached = reset_peak_memory_stats


def empty_cache() -> None:
    memory.empty_cache()


def ipc_collect() -> None:
    """There is no memory of other processes to collect."""


def mem_get_info(device: Any = None) -> tuple[int, int]:
    """Free and total bytes."""
    gpu = _ledger(device)
    return memory.CAPACITY - memory.reserved(gpu), memory.CAPACITY


def memory_stats(device: Any = None) -> dict[str, int]:
    """The statistics that a virtual GPU has, under CUDA's names."""
    if not devices.is_initialized():
        return {}
    gpu = _ledger(device)
    numbers = {
        "allocated_bytes": (memory.allocated(gpu), memory.peak(gpu)),
        "active_bytes": (memory.allocated(gpu), memory.peak(gpu)),
        "reserved_bytes": (memory.reserved(gpu), memory.peak_reserved(gpu)),
    }
    stats = {
        f"{name}.all.{kind}": value
        for name, pair in numbers.items()
        for kind, value in zip(("current", "peak"), pair, strict=True)
    }
    stats["allocation.all.current"] = memory.blocks(gpu)
    return stats


def memory_summary(device: Any = None, abbreviated: bool = False) -> str:  # noqa: ARG001
    """A table for people."""
    gpu = _ledger(device)
    rows = [
        ("Allocated memory", memory.allocated(gpu), memory.peak(gpu)),
        ("GPU reserved memory", memory.reserved(gpu), memory.peak_reserved(gpu)),
    ]
    lines = [
        f"PyTorch CUDA memory summary, device ID {gpu} ({NAME})",
        f"{'Metric':<22}{'Cur Usage':>16}{'Peak Usage':>16}",
    ]
    lines += [f"{name:<22}{now:>14} B{peak:>14} B" for name, now, peak in rows]
    return "\n".join(lines) + "\n"


# ---------------------------------------------------------------------- seeds
# One generator serves the CPU and all GPUs: a seeded script sees the numbers it sees on the CPU.


def manual_seed(seed: int) -> None:
    torch.default_generator.manual_seed(int(seed))


manual_seed_all = manual_seed


def seed() -> None:
    torch.default_generator.seed()


seed_all = seed


def initial_seed() -> int:
    return torch.default_generator.initial_seed()


def get_rng_state(device: Any = "cuda") -> torch.Tensor:
    devices.index_of(device)
    return torch.default_generator.get_state()


def get_rng_state_all() -> list[torch.Tensor]:
    return [get_rng_state(gpu) for gpu in range(devices.count())]


def set_rng_state(new_state: torch.Tensor, device: Any = "cuda") -> None:
    devices.index_of(device)
    torch.default_generator.set_state(new_state)


def set_rng_state_all(new_states: list[torch.Tensor]) -> None:
    for gpu, state in enumerate(new_states):
        set_rng_state(state, gpu)


# ---------------------------------------------------------------------- torch.accelerator


def _current_accelerator(check_available: bool = False) -> torch.device | None:  # noqa: ARG001
    return devices.Device("cuda") if is_available() else None


_ACCELERATOR = {
    "current_accelerator": _current_accelerator,
    "current_device_idx": current_device,
    "current_device_index": current_device,
    "current_stream": streams.current_stream,
    "device_count": device_count,
    "empty_cache": empty_cache,
    "is_available": is_available,
    "max_memory_allocated": max_memory_allocated,
    "memory_allocated": memory_allocated,
    "set_device_idx": set_device,
    "set_device_index": set_device,
    "synchronize": synchronize,
}


def install() -> None:
    """Replace torch.cuda's functions, also where its submodules define them."""
    ours = {
        name: value
        for name, value in globals().items()
        if callable(value) and hasattr(cuda, name) and getattr(value, "__module__", "") == __name__
    }
    for module in (cuda, cuda.memory, cuda.random):
        _put(module, ours)
    _put(accelerator, _ACCELERATOR)


def _put(module: ModuleType, functions: dict[str, Any]) -> None:
    for name, function in functions.items():
        if hasattr(module, name):
            setattr(module, name, function)
