"""Turning a process into the machine that its settings ask for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from grader.vgpu.settings import Settings


def become(settings: Settings) -> Settings:
    """Switch this process over, for good; answers the settings with "auto" decided."""
    actual = _resolve(settings)
    if actual.devices == "cuda":
        from grader.vgpu import observer

        observer.install(actual.count)
    else:
        from grader.vgpu import ranks

        _make(actual)
        _patch()
        ranks.install(actual.trace_folder)
    return actual


def prepare() -> None:
    """Do the slow half of `become`, for a process that forks others with data on the CPU.

    What is registered with torch's dispatcher is inherited; it does nothing before `become`.
    """
    from grader.vgpu import linear, special_ops
    from grader.vgpu.backends import cuda, meta  # noqa: F401 - only their import takes time
    from grader.vgpu.patches import autocast, build, data_parallel, surface

    _parts()  # imports them all
    surface.places()  # a child that looks at every module copies the pages that hold them
    data_parallel.modules()
    for part in (build, autocast, linear, special_ops):
        part.install()


def _resolve(settings: Settings) -> Settings:
    """Real GPUs where there are enough, virtual ones over those where there are too few."""
    if settings.devices != "auto":
        return settings
    from grader.vgpu import observer

    if settings.count and observer.enough(settings.count):
        return replace(settings, devices="cuda")
    data = "cuda" if settings.data == "cpu" and observer.enough(1) else settings.data
    return replace(settings, devices="virtual", data=data)


def _make(settings: Settings) -> None:
    """What the GPUs are, before anything asks."""
    from grader.vgpu import backends, devices, memory
    from grader.vgpu.clock.spec import find
    from grader.vgpu.patches import generators, properties

    devices.configure(
        settings.count,
        backends.choose(settings.data),
        collapse=settings.collapse,
        heed_pins=settings.heed_pins,
    )
    generators.configure(settings.generators)
    properties.configure(settings.gpu)
    memory.configure(settings.memory or find(settings.gpu).memory)
    if settings.simulates_time:  # before any op is studied
        _simulate_time(settings)


def _simulate_time(settings: Settings) -> None:
    from grader.vgpu import clock
    from grader.vgpu.patches import clocks

    shown = settings.clock == "virtual"
    clock.install(settings.gpu, seen=shown)
    if shown:
        clocks.install(clock.require())


def _patch() -> None:
    """Put our parts in the place of torch's."""
    from grader.vgpu import tracebacks

    tracebacks.install()
    for part in _parts():
        part.install()


def _parts() -> Sequence[Any]:
    """What stands in for parts of torch, in order of installation."""
    from grader.vgpu import (
        copies,  # noqa: F401 - registers ops
        layers,
        linear,
        sequences,  # noqa: F401 - registers ops
        special_ops,
        zeros,  # noqa: F401 - registers ops
    )
    from grader.vgpu.patches import (
        accelerator,
        autocast,
        build,
        checks,
        compiling,
        cuda,
        cuda_memory,
        data_parallel,
        distributed,
        dry,
        factories,
        generators,
        gradients,
        late_imports,
        legacy_types,
        profiling,
        properties,
        refused,
        serialization,
        streams,
        surface,
        sync_batch_norm,
        tensors,
        uninitialized,
    )

    # build first: the rest stands in front of torch's own functions, which it makes work.
    creation = (build, factories, generators, dry)
    methods = (tensors, legacy_types, uninitialized, gradients, checks, serialization)
    cudas = (surface, streams, cuda, properties, cuda_memory, profiling, accelerator)
    ops = (autocast, linear, special_ops, layers, refused, compiling)
    several = (distributed, data_parallel, late_imports, sync_batch_norm)
    return (*creation, *methods, *cudas, *ops, *several)
