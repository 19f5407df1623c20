"""The virtual clock: how long the work of a virtual GPU would take on a real one.

`spec` says what a GPU can do, `cost` what an op asks of it, `simulator` when it runs; `steps`
finds the training steps in the result and `draw` shows it. Without simulation none of that is
imported, and no op costs more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from grader.errors import UsageError

if TYPE_CHECKING:
    from grader.vgpu.clock.simulator import Simulator
    from grader.vgpu.clock.spec import GpuSpec

_active: Simulator | None = None
_seen = False


def install(kind: str, *, seen: bool) -> None:
    """Simulate time on GPUs of this kind ("A100"), before the first op of the process.

    `seen` says that the script's own clocks show it.
    """
    global _active, _seen  # noqa: PLW0603 - a process has one clock
    from grader.vgpu.clock import origin
    from grader.vgpu.clock.simulator import Simulator
    from grader.vgpu.clock.spec import find

    _active = Simulator(find(kind))
    _seen = seen
    _active.listen()
    origin.install(_active)


def active() -> Simulator | None:
    """The simulator of this process, if time is simulated."""
    return _active


def seen() -> Simulator | None:
    """The simulator, if the script sees its time."""
    return _active if _seen else None


def require() -> Simulator:
    """The simulator; UsageError where time is not simulated."""
    if _active is None:
        raise UsageError(
            "this process does not simulate time", do="ask for --timeline FILE or --clock virtual"
        )
    return _active


def configure(spec: GpuSpec) -> None:
    """From now on all GPUs are of this kind."""
    require().spec = spec


def end_step() -> None:
    """A training step ends here: for scripts whose steps are not found by themselves."""
    require().end_step()
