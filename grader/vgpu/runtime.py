"""Switching the process over, once, and asking it afterwards."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from grader.errors import UsageError
from grader.vgpu.count import read_count

if TYPE_CHECKING:
    from grader.trace import Trace

_installed: tuple[int, bool, bool] | None = None
_installing = False


def install(count: int | None, *, collapse: bool, heed_pins: bool) -> None:
    global _installed, _installing  # noqa: PLW0603 - a process has one machine
    if _installing:  # torch, imported below, found VGPU in the environment
        return
    if count is None:
        gpus = read_count(os.environ.get("VGPU", ""), "the environment variable VGPU")
    else:
        gpus = read_count(count, "the number of virtual GPUs")
    asked = (gpus, collapse, heed_pins)
    if _installed is not None:
        if asked != _installed:
            raise UsageError(
                "virtual GPUs cannot be changed within a process",
                expected=f"{_installed[0]} as installed",
                found=str(asked[0]),
                do="start another process",
            )
        return
    _installing = True
    try:
        _switch(*asked)
    finally:
        _installing = False
    _installed = asked


def _switch(count: int, collapse: bool, heed_pins: bool) -> None:
    from grader.vgpu import (
        autocast,
        build,
        cuda_api,
        devices,
        factories,
        layers,
        serialization,
        tensor_patches,
    )

    devices.configure(count, collapse=collapse, heed_pins=heed_pins)
    build.install()
    factories.install()
    tensor_patches.install()
    serialization.install()
    cuda_api.install()
    autocast.install()
    layers.install()


def is_installed() -> bool:
    return _installed is not None


def trace() -> Trace:
    _require()
    from grader.vgpu import recorder

    return recorder.trace()


def reset() -> None:
    _require()
    from grader.vgpu import layers, recorder

    layers.unwind()
    recorder.reset()


def _require() -> None:
    if _installed is None:
        raise UsageError("this process has no virtual GPUs", do="call grader.vgpu.install() first")
