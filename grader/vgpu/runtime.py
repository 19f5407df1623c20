"""Switching the process over, once, and asking it afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grader.errors import UsageError
from grader.vgpu.machine import become
from grader.vgpu.settings import Settings, from_environment
from grader.vgpu.version import check_torch

if TYPE_CHECKING:
    from grader.timeline import Timeline
    from grader.trace import Trace

_installed: Settings | None = None  # as asked for
_actual: Settings | None = None  # with "auto" decided
_installing = False


def install(**given: Any) -> None:
    global _installed, _actual, _installing  # noqa: PLW0603 - a process has one machine
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
        check_torch()
        actual = become(asked)
    finally:
        _installing = False
    _installed, _actual = asked, actual


def settings() -> Settings:
    """What this process is: as it was asked to be, with "auto" decided."""
    _require()
    assert _actual is not None
    return _actual


def is_installed() -> bool:
    return _installed is not None


def trace() -> Trace:
    _require()
    from grader.vgpu import recorder

    recorded = recorder.trace()
    if settings().devices == "cuda":
        from grader.vgpu import observer

        recorded.peak_memory = observer.peak_memory(recorded.devices)
    return recorded


def reset() -> None:
    _require()
    from grader.vgpu import clock, recorder

    recorder.reset()
    if settings().devices == "cuda":
        from grader.vgpu import observer

        observer.reset(settings().count)
    simulator = clock.active()
    if simulator is not None:
        simulator.reset()


def timeline() -> Timeline:
    _require()
    from grader.vgpu import clock

    return clock.require().timeline()


def _require() -> None:
    if _installed is None:
        raise UsageError("this process has no virtual GPUs", do="call grader.vgpu.install() first")
