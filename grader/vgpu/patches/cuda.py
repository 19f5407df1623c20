"""torch.cuda for virtual GPUs: counting and choosing.

Functions carry the names they have in torch.cuda; `install` puts them there.
"""

from __future__ import annotations

from typing import Any

from torch import cuda

from grader.vgpu import devices
from grader.vgpu.patches import streams
from grader.vgpu.patches.surface import absent

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


def is_current_stream_capturing() -> bool:
    return False


def get_sync_debug_mode() -> int:
    """0, "default": nothing is said of operations that wait."""
    return 0


def set_sync_debug_mode(debug_mode: int | str) -> None:
    if debug_mode not in (0, "default"):
        raise absent("torch.cuda.set_sync_debug_mode (other than 'default')", "leave it out")


def install() -> None:
    """Replace torch.cuda's functions, also where its submodules have them by name."""
    for name, value in list(globals().items()):
        if callable(value) and getattr(value, "__module__", "") == __name__:
            for module in (cuda, cuda.memory, cuda.random):
                if hasattr(module, name):
                    setattr(module, name, value)
