"""What a worker shows to the code in it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class WorkerOptions:
    """`gpus` virtual GPUs; with `collapse` all data is on cuda:0, with `dry` there is none.

    `timeline`: how long everything takes on real GPUs is simulated.
    """

    gpus: int
    collapse: bool = False
    dry: bool = False
    timeline: bool = False

    def arguments(self) -> list[str]:
        """The worker's command line for them."""
        line = ["--gpus", str(self.gpus)]
        line += ["--collapse"] if self.collapse else []
        line += ["--dry"] if self.dry else []
        line += ["--timeline"] if self.timeline else []
        return line
