"""torch.cuda.memory: what is held, peaks, counts and limits, as `memory` counts them.

A virtual GPU has no pools and no addresses. Statistics of the small and the large pool, of
splits and of bytes in total over time are therefore left out of `memory_stats`: what is not
counted is not there, rather than zero. Reserved memory grows in segments of 2 MiB and shrinks with
`empty_cache`; it never fragments.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from typing import Any

from torch import cuda

from grader.vgpu import devices, memory
from grader.vgpu.memory import MIB


def ledger(device: Any) -> int:
    """The GPU whose memory is asked about, or what the allocator says of an unknown one."""
    index = cuda._utils._get_device_index(device, optional=True)
    if not 0 <= index < devices.count():
        raise RuntimeError(f"Invalid device argument {index}: did you call init?")
    return devices.index_of(index)


def memory_allocated(device: Any = None) -> int:
    return memory.allocated(ledger(device)) if devices.is_initialized() else 0


def max_memory_allocated(device: Any = None) -> int:
    return memory.peak(ledger(device)) if devices.is_initialized() else 0


def memory_reserved(device: Any = None) -> int:
    return memory.reserved(ledger(device)) if devices.is_initialized() else 0


def max_memory_reserved(device: Any = None) -> int:
    return memory.peak_reserved(ledger(device)) if devices.is_initialized() else 0


memory_cached = memory_reserved
max_memory_cached = max_memory_reserved
device_memory_used = memory_reserved


def reset_peak_memory_stats(device: Any = None) -> None:
    memory.reset_peak(ledger(device))


reset_max_memory_allocated = reset_peak_memory_stats
reset_max_memory_cached = reset_peak_memory_stats


def reset_accumulated_memory_stats(device: Any = None) -> None:
    memory.reset_counts(ledger(device))


def empty_cache() -> None:
    memory.empty_cache()


def ipc_collect() -> None:
    """There is no memory of other processes to collect."""


def mem_get_info(device: Any = None) -> tuple[int, int]:
    """Free and total bytes."""
    gpu = ledger(device)
    return memory.CAPACITY - memory.reserved(gpu), memory.CAPACITY


def get_allocator_backend() -> str:
    return "native"


# ---------------------------------------------------------------------- limits


def set_per_process_memory_fraction(fraction: float, device: Any = None) -> None:
    devices.initialize()
    if not isinstance(fraction, float):
        raise TypeError("Invalid type for fraction argument, must be `float`")
    if not 0 <= fraction <= 1:
        raise ValueError(f"Invalid fraction value: {fraction}. Allowed range: 0~1")
    memory.limit(ledger(device), fraction)


def get_per_process_memory_fraction(device: Any = None) -> float:
    devices.initialize()
    return memory.fraction(ledger(device))


# ---------------------------------------------------------------------- statistics


def memory_stats_as_nested_dict(device: Any = None) -> dict[str, Any]:
    """The statistics that a virtual GPU has, under CUDA's names."""
    if not devices.is_initialized():
        return {}
    gpu = ledger(device)
    held = {"current": memory.allocated(gpu), "peak": memory.peak(gpu)}
    reserved = {"current": memory.reserved(gpu), "peak": memory.peak_reserved(gpu)}
    made, gone = memory.counts(gpu)
    blocks = {"current": memory.blocks(gpu), "allocated": made, "freed": gone}
    none = dict.fromkeys(("current", "peak", "allocated", "freed"), 0)
    return {
        "allocated_bytes": {"all": held},
        "active_bytes": {"all": held},
        "reserved_bytes": {"all": reserved},
        "allocation": {"all": blocks},
        "active": {"all": blocks},
        "num_ooms": memory.refusals(gpu),
        "num_alloc_retries": memory.refusals(gpu),  # each follows one flush of the cache
        "max_split_size": -1,
        "oversize_allocations": none,
        "oversize_segments": none,
    }


def memory_stats(device: Any = None) -> dict[str, int]:
    """The same, flat: "allocated_bytes.all.current"."""
    flat: dict[str, int] = {}

    def lay(prefix: str, value: Any) -> None:
        if isinstance(value, dict):
            for name, inner in value.items():
                lay(f"{prefix}.{name}" if prefix else name, inner)
        else:
            flat[prefix] = value

    lay("", memory_stats_as_nested_dict(device))
    return OrderedDict(sorted(flat.items()))


_ROWS = (
    ("Allocated memory", "allocated_bytes"),
    ("Active memory", "active_bytes"),
    ("GPU reserved memory", "reserved_bytes"),
    ("Allocations", "allocation"),
    ("Active allocs", "active"),
)
_COLUMNS = ("current", "peak", "allocated", "freed")
_WIDTH = 75


def memory_summary(device: Any = None, abbreviated: bool = False) -> str:  # noqa: ARG001
    """CUDA's table; a dash where nothing is counted."""
    gpu = ledger(device)
    devices.initialize()
    stats = memory_stats(device)
    ooms, retries = stats["num_ooms"], stats["num_alloc_retries"]
    lines = [
        "=" * _WIDTH,
        f"{'':18}PyTorch CUDA memory summary, device ID {gpu:<17d} ",
        "-" * _WIDTH,
        f"{'':11} CUDA OOMs: {ooms:<12d} | {'':6} cudaMalloc retries: {retries:<8d}  ",
        "=" * _WIDTH,
        "        Metric         | Cur Usage  | Peak Usage | Tot Alloc  | Tot Freed  ",
    ]
    for title, name in _ROWS:
        cells = [_cell(stats.get(f"{name}.all.{column}"), name) for column in _COLUMNS]
        lines += ["-" * _WIDTH, f" {title:<21} | {' | '.join(cells)} "]
    lines.append("=" * _WIDTH)
    return "|" + "|\n|".join(lines) + "|\n"


def _cell(value: int | None, name: str) -> str:
    """10 characters, as CUDA's table has them."""
    if value is None:
        return f"{'-':>6}    "
    if not name.endswith("bytes"):
        return f"{value:7d}   "
    for unit in ("B  ", "KiB", "MiB", "GiB"):
        if value < 768 * 1024 or unit == "GiB":
            break
        value //= 1024
    return f"{value:6d} {unit}"


def list_gpu_processes(device: Any = None) -> str:
    """Our own process, if it holds memory of the GPU; there are no others."""
    gpu = ledger(device)
    used = memory.reserved(gpu) / MIB
    if not used:
        return f"GPU:{gpu}\nno processes are running"
    return f"GPU:{gpu}\nprocess {os.getpid():>10d} uses {used:>12.3f} MB GPU memory"


def install() -> None:
    for name, value in list(globals().items()):
        if callable(value) and getattr(value, "__module__", "") == __name__:
            for module in (cuda, cuda.memory):
                if hasattr(module, name):
                    setattr(module, name, value)
