"""The script's clocks show virtual time: `time.time`, `perf_counter` and `monotonic`.

What counts is what the host waits for: work and copies of virtual GPUs, from `synchronize()`,
`.item()`, blocking copies and the like, and `time.sleep`. Python and the CPU take no time. So a
step time that a script prints between two `torch.cuda.synchronize()` is the simulated one.

No clock answers the same number twice, so that a rate can be computed and a loop that waits for
the clock ends. Python's own library and torch go on reading the machine's clocks: their timeouts
are about this machine. `datetime`, `process_time` and the like are not changed.
"""

from __future__ import annotations

import os
import sys
import sysconfig
import time
import timeit
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from grader.vgpu.clock.simulator import Simulator

_TORCH = str(Path(torch.__file__).parent)
_BENCHMARK = str(Path(_TORCH, "utils", "benchmark"))  # times the script's code, so virtually
_PYTHON = (sysconfig.get_path("stdlib"), "<frozen ")

#: What a clock goes on by where nothing happened between two readings; in seconds. `time.time`
#: is a number so large that a float cannot tell less.
_TICKS = {"time": 1e-6, "perf_counter": 1e-9, "monotonic": 1e-9}


def install(simulator: Simulator) -> None:
    """Replace the functions in `time`, and where the script has imported them by name already."""
    replaced: dict[Any, Any] = {}
    for name, tick in _TICKS.items():
        begin = float(int(time.time())) if name == "time" else 0.0
        read = _reader(simulator, begin, tick)
        for machine, virtual in (
            (getattr(time, name), read),
            (getattr(time, f"{name}_ns"), lambda read=read: round(read() * 1e9)),
        ):
            replaced[machine] = _for_scripts(machine, virtual)
    replaced[time.sleep] = _sleeper(simulator, time.sleep)
    main = sys.modules["__main__"]
    for module in (time, timeit, main):
        for name, value in list(vars(module).items()):
            if callable(value) and value in replaced:
                setattr(module, name, replaced[value])


def _reader(simulator: Simulator, begin: float, tick: float) -> Callable[[], float]:
    last = -tick

    def read() -> float:
        nonlocal last
        last = max(simulator.now(), last + tick)
        return begin + last

    return read


def _for_scripts(machine: Callable[[], Any], virtual: Callable[[], Any]) -> Callable[[], Any]:
    def clock() -> Any:
        caller = sys._getframe(1).f_code.co_filename
        return virtual() if _is_scripts(caller) else machine()

    clock.__name__ = clock.__qualname__ = machine.__name__
    clock.__doc__ = machine.__doc__
    return clock


def _is_scripts(file: str) -> bool:
    """Whether a file is the script's, or of a package that it uses."""
    if file.startswith(_TORCH):
        return file.startswith(_BENCHMARK)
    return not file.startswith(_PYTHON) or f"{os.sep}site-packages{os.sep}" in file


def _sleeper(simulator: Simulator, machine: Callable[[float], None]) -> Callable[[float], None]:
    def sleep(seconds: float, /) -> None:
        machine(seconds)
        if _is_scripts(sys._getframe(1).f_code.co_filename):
            simulator.sleep(seconds)

    sleep.__doc__ = machine.__doc__
    return sleep
