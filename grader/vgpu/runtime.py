"""Switching the process over, once, and asking it afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grader.errors import UsageError
from grader.vgpu.settings import Settings, from_environment

if TYPE_CHECKING:
    from grader.trace import Trace

_installed: Settings | None = None
_installing = False


def install(**given: Any) -> None:
    global _installed, _installing  # noqa: PLW0603 - a process has one machine
    if _installing:  # torch, imported below, found VGPU in the environment
        return
    asked = from_environment(**given)
    if _installed is not None:
        if asked != _installed:
            raise UsageError(
                "virtual GPUs cannot be changed within a process",
                expected=f"{_installed.count} as installed",
                found=str(asked.count),
                do="start another process",
            )
        return
    _installing = True
    try:
        _switch(asked)
    finally:
        _installing = False
    _installed = asked


def _switch(settings: Settings) -> None:
    from grader.vgpu import backends, copies, devices, layers, linear, memory  # noqa: F401 - copies registers ops
    from grader.vgpu.patches import (
        autocast,
        build,
        cuda,
        dry,
        factories,
        serialization,
        streams,
        tensors,
    )

    devices.configure(
        settings.count,
        backends.choose(settings.data),
        collapse=settings.collapse,
        heed_pins=settings.heed_pins,
    )
    if settings.memory is not None:
        memory.configure(settings.memory)
    # build first: the rest stands in front of torch's own functions, which it makes work.
    for part in (
        build,
        factories,
        dry,
        tensors,
        serialization,
        streams,
        cuda,
        autocast,
        linear,
        layers,
    ):
        part.install()


def settings() -> Settings:
    """What this process was installed with."""
    _require()
    assert _installed is not None
    return _installed


def is_installed() -> bool:
    return _installed is not None


def trace() -> Trace:
    _require()
    from grader.vgpu import recorder

    return recorder.trace()


def reset() -> None:
    _require()
    from grader.vgpu import recorder

    recorder.reset()


def _require() -> None:
    if _installed is None:
        raise UsageError("this process has no virtual GPUs", do="call grader.vgpu.install() first")
