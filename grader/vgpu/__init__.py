"""Virtual GPUs: unmodified CUDA code for N GPUs runs on a machine that has none.

Real numbers, exact device semantics and a trace of what every device did. Nothing here knows
of grading. This file imports torch only when something is switched on, because it is itself
loaded by `import torch`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from grader.timeline import Timeline
    from grader.trace import Trace

__all__ = ["install", "is_installed", "reset", "timeline", "trace"]


def install(count: int | None = None, **options: Any) -> None:
    """Switch this process to `count` virtual GPUs, for good; 0 is a machine without GPUs.

    `count` is 0 to 128; None reads the environment variable VGPU. The options are the fields of
    `grader.vgpu.settings.Settings`, each of which an environment variable may set as well
    (`memory` is VGPU_MEMORY). With `collapse` every index below `count` is accepted, but all data
    lives on cuda:0. With `heed_pins` a CUDA_VISIBLE_DEVICES set before the first use of CUDA
    limits the GPUs, as on a real machine. UsageError for settings that make no sense, or when
    others are installed already.
    """
    from grader.vgpu.runtime import install as switch

    switch(count=count, **options)


def is_installed() -> bool:
    """Whether this process runs on virtual GPUs (0 of them included)."""
    from grader.vgpu.runtime import is_installed as answer

    return answer()


def trace() -> Trace:
    """What was recorded so far, as a copy; its `peak_memory` has one entry per GPU."""
    from grader.vgpu.runtime import trace as answer

    return answer()


def timeline() -> Timeline:
    """What ran so far in simulated time, as a copy; UsageError where time is not simulated."""
    from grader.vgpu.runtime import timeline as answer

    return answer()


def reset() -> None:
    """Forget what was recorded; memory peaks start again from what is held now."""
    from grader.vgpu.runtime import reset as answer

    answer()
