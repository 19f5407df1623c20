"""What a process is asked to be: how many GPUs, of which kind, where their data lives.

The environment carries the same answers to child processes (torchrun, DataLoader workers).
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from grader.errors import UsageError
from grader.vgpu.clock.spec import find
from grader.vgpu.count import read_count

_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(B|[KMGT]I?B)?\s*", re.IGNORECASE)
_UNITS = {
    "B": 1,
    **{f"{letter}B": 1000**n for n, letter in enumerate("KMGT", 1)},
    **{f"{letter}IB": 1024**n for n, letter in enumerate("KMGT", 1)},
}
_CHOICES = {
    "devices": ("virtual", "cuda", "auto"),
    "data": ("cpu", "cuda", "meta"),
    "clock": ("real", "virtual"),
    "generators": ("shared", "per-device"),
}


@dataclass(frozen=True)
class Settings:
    """One process's machine. Sizes in bytes; names of GPUs are those of `clock.spec`.

    `devices` are "virtual", "cuda" (real GPUs, which are only watched) or "auto": real ones where
    there are enough, virtual ones over those where there are too few, virtual ones else.
    `collapse` accepts every index but keeps all data on cuda:0. `data` is where the numbers
    live: "cpu", "cuda" (one or more real GPUs) or "meta" (nowhere: dry mode). `memory` is the
    capacity of each GPU, None for that of its kind. `clock` says what time the script sees;
    `timeline` that simulated times are recorded. `generators` is "shared" (one stream of random
    numbers, equal to the CPU's) or "per-device" (a state per GPU, as CUDA has). `trace_folder`
    is where each process leaves its trace when it ends.
    """

    count: int
    devices: str = "virtual"
    collapse: bool = False
    heed_pins: bool = True
    data: str = "cpu"
    gpu: str = "A100"
    memory: int | None = None
    clock: str = "real"
    timeline: bool = False
    generators: str = "shared"
    trace_folder: Path | None = None

    @property
    def simulates_time(self) -> bool:
        return self.timeline or self.clock == "virtual"


def from_environment(**given: Any) -> Settings:
    """Settings as `given`; what is missing or None comes from the environment.

    UsageError names the variable or argument that is wrong.
    """
    asked = {name: value for name, value in given.items() if value is not None}
    count = asked.pop("count", None)
    source = "the number of virtual GPUs"
    if count is None:
        count, source = os.environ.get("VGPU", ""), "the environment variable VGPU"
    found: dict[str, Any] = {"count": read_count(count, source)}
    names = [field.name for field in fields(Settings) if field.name != "count"]
    for unknown in asked.keys() - set(names):
        raise UsageError(f"there is no setting {unknown}", expected=f"one of {', '.join(names)}")
    for field in fields(Settings):
        variable = _variable(field.name)
        text = os.environ.get(variable, "").strip()
        if field.name in asked:
            found[field.name] = _read(field.name, asked[field.name], f"the argument {field.name}")
        elif field.name not in found and text:
            found[field.name] = _read(field.name, text, f"the environment variable {variable}")
    return Settings(**found)


def to_environment(settings: Settings) -> dict[str, str]:
    """The variables with which a child process reads the same settings, whatever else is set."""
    values = {field.name: getattr(settings, field.name) for field in fields(Settings)}
    return {
        _variable(name): str(int(value)) if isinstance(value, bool) else str(value)
        for name, value in values.items()
        if value is not None
    }


def with_changes(settings: Settings, **changes: Any) -> Settings:
    """The same settings but for `changes`; None changes nothing."""
    return replace(settings, **{k: v for k, v in changes.items() if v is not None})


def read_size(text: str, source: str) -> int:
    """Bytes: "80GB" is 80 * 1000**3, "80GiB" is 80 * 1024**3, a bare number is bytes."""
    match = _SIZE.fullmatch(text)
    if match is None:
        raise UsageError(source, expected="a size such as 80GB or 512MiB", found=repr(text))
    return int(float(match[1]) * _UNITS[(match[2] or "B").upper()])


def read_memory(value: int | str, source: str) -> int:
    """A capacity in bytes, which is more than none."""
    size = read_size(value, source) if isinstance(value, str) else value
    if size <= 0:
        raise UsageError(source, expected="a size above 0", found=repr(value))
    return size


def _variable(name: str) -> str:
    return "VGPU" if name == "count" else f"VGPU_{name.upper()}"


def _read(name: str, value: Any, source: str) -> Any:
    """One setting, from text or as a value of its own type."""
    if name in _CHOICES and value not in _CHOICES[name]:
        raise UsageError(source, expected=" or ".join(_CHOICES[name]), found=repr(value))
    if name == "memory":
        return read_memory(value, source)
    if not isinstance(value, str):
        return value
    if name == "gpu":
        return find(value, source).name
    if name == "trace_folder":
        return Path(value)
    if name in ("collapse", "heed_pins", "timeline"):
        if value not in ("0", "1"):
            raise UsageError(source, expected="0 or 1", found=repr(value))
        return value == "1"
    return value
