"""Which virtual GPUs there are, which one is current, and what CUDA says when one is missing.

In C++ a virtual tensor lives on the carrier, a device type that every build of torch knows and
no backend serves; in Python it lives on cuda:i. `place` reads a device from either side,
`carrier` and `shown` write it. The carrier's name never leaves this package.
"""

from __future__ import annotations

import os
import threading
from typing import Any, Never

import torch

from grader.errors import UsageError
from grader.trace import HOST
from grader.vgpu.backends import Backend
from grader.vgpu.backends.cpu import Cpu
from grader.vgpu.count import MOST

#: torch.device before `factories` stands in front of it.
Device = torch.device
CARRIER = "lazy"

_ORDINAL = (
    "CUDA error: invalid device ordinal\n"
    "GPU device may be out of range, do you have enough GPUs?\n"
    "CUDA kernel errors might be asynchronously reported at some other API call, so the "
    "stacktrace below might be incorrect.\n"
    "For debugging consider passing CUDA_LAUNCH_BLOCKING=1\n"
    "Compile with `TORCH_USE_CUDA_DSA` to enable device-side assertions.\n"
)


class _Thread(threading.local):
    """What CUDA keeps per thread."""

    current = 0


class _Machine:
    """The GPUs of this process. `visible` is None until CUDA is first used."""

    installed = 0
    collapse = False
    heed_pins = True
    visible: int | None = None
    initialized = False
    backend: Backend = Cpu()
    dry = False


_machine = _Machine()
_thread = _Thread()
#: The last one is the host's, index -1, in dry mode: there it holds virtual tensors, too.
_carriers: list[torch.device] = [Device(CARRIER, i) for i in range(MOST)]
_shown: list[torch.device] = [*(Device("cuda", i) for i in range(MOST)), Device("cpu")]


def configure(count: int, backend: Backend, *, collapse: bool, heed_pins: bool) -> None:
    """Say what the machine has; before any use."""
    if backend.dry and count == MOST:
        raise UsageError(
            "the number of virtual GPUs",
            expected=f"at most {MOST - 1} in dry mode",
            found=str(count),
        )
    _machine.installed = count
    _machine.collapse = collapse
    _machine.heed_pins = heed_pins
    _machine.backend = backend
    _machine.dry = backend.dry


def observe(count: int) -> None:
    """There are real GPUs, and they are only watched."""
    _machine.installed = _machine.visible = count


def backend() -> Backend:
    """Where the data of the GPUs live."""
    return _machine.backend


def is_dry() -> bool:
    """Whether nothing has data: tensors of the host are virtual then, on device `HOST`."""
    return _machine.dry


# ---------------------------------------------------------------------- counting


def count() -> int:
    """How many GPUs the script may see. Open to CUDA_VISIBLE_DEVICES until first used."""
    return _machine.visible if _machine.visible is not None else _pinned()


def settle() -> int:
    """The same, and from now on CUDA_VISIBLE_DEVICES changes nothing: the driver is up."""
    _machine.visible = count()
    return _machine.visible


def is_initialized() -> bool:
    return _machine.initialized


def initialize() -> None:
    """First use of CUDA; errors in its words where no GPU is to be had."""
    if _machine.initialized:
        return
    if _machine.installed == 0:
        raise _explained(AssertionError("Torch not compiled with CUDA enabled"))
    if settle() == 0:
        raise _explained(RuntimeError("No CUDA GPUs are available"))
    _machine.initialized = True
    torch.cuda._initialized = True  # what torch.utils.checkpoint asks


def _pinned() -> int:
    """How many GPUs CUDA_VISIBLE_DEVICES leaves: a list that ends at its first bad entry."""
    pins = os.environ.get("CUDA_VISIBLE_DEVICES")
    if pins is None or not _machine.heed_pins:
        return _machine.installed
    seen: list[int] = []
    for entry in pins.split(","):
        text = entry.strip()
        if not text.isdecimal() or int(text) >= _machine.installed:
            break
        if int(text) in seen:
            return 0
        seen.append(int(text))
    return len(seen)


# ---------------------------------------------------------------------- placing


def place(device: Any) -> int | None:
    """The GPU that holds data asked for on `device`; None for any device that is not ours.

    `device` is a number, a name or a torch.device. In dry mode the host is ours: `HOST`.
    CUDA's invalid ordinal beyond the last GPU.
    """
    if type(device) is not Device:
        device = Device("cuda", device) if isinstance(device, int) else Device(device)
    if _machine.dry and (device.type == "cpu" or device == _carriers[HOST]):
        return HOST
    if device.type not in ("cuda", CARRIER):
        return None
    initialize()
    index = _thread.current if device.index is None else device.index
    return _house(check(index))


def check(index: int) -> int:
    """The index itself, if there is such a GPU."""
    if index >= count():
        invalid_ordinal(index)
    return index


def _house(index: int) -> int:
    return 0 if _machine.collapse else index


def to_carrier(device: Any) -> Any:
    """A device argument as C++ should see it; whatever names no GPU stays as it is."""
    kind = type(device)
    if kind is not int:
        name = device.partition(":")[0] if kind is str else device.type if kind is Device else None
        if name != "cuda":
            return device
    gpu = place(device)
    return device if gpu is None else _carriers[gpu]


def carrier(gpu: int) -> torch.device:
    return _carriers[gpu]


def carriers() -> list[torch.device]:
    """By GPU; the host's is the last."""
    return _carriers


def shown(gpu: int) -> torch.device:
    return _shown[gpu]


def invalid_ordinal(index: int) -> Never:
    raise _explained(torch.AcceleratorError(_ORDINAL), f"cuda:{index}")


def _explained(error: Exception, detail: str = "") -> Exception:
    from grader.vgpu.explain import note  # which asks how many GPUs there are

    return note(error, detail)


# ---------------------------------------------------------------------- the current one


def current() -> int:
    """The current GPU of this thread, as the script numbers it."""
    return _thread.current


def set_current(index: int) -> int:
    """Make `index` current and return the one before; a negative index changes nothing."""
    before = _thread.current
    if index >= 0:
        initialize()
        _thread.current = check(index)
    return before


def index_of(device: Any = None) -> int:
    """The GPU a torch.cuda function is asked about; None means the current one."""
    if device is None:
        initialize()
        return _house(_thread.current)
    gpu = place(device)
    if gpu is None:
        raise ValueError(f"Expected a cuda device, but got: {device}")
    return gpu
