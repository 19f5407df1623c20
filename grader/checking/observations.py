"""What checks get to see of a hand-in. A `Prober` observes: that of the judge asks workers."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from grader.checking.wanted import ProgramWanted, RanksWanted
from grader.program import Program
from grader.ranks import Ranks
from grader.records import Json
from grader.trace import Trace


class ProbeFailed(Exception):
    """The student's code failed during a probe.

    `blocked` says that an earlier step (loading the file) failed, so the probe was never
    reached; `hung`, that time ran out; `where` is the line of theirs at which it failed, as
    "hw3.py, line 20: code", and `operator` the traceback, for the instructor.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        where: str | None = None,
        blocked: bool = False,
        hung: bool = False,
        operator: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.where = where
        self.blocked = blocked
        self.hung = hung
        self.operator = operator

    def __str__(self) -> str:
        return self.message + (f" ({self.where})" if self.where else "")


@dataclass(frozen=True)
class Numbers:
    """The judge's verdict on the numbers of one probe.

    `right` is None where they could not be compared. `how` says what they were compared with,
    `problem` what is wrong, `where` and `hint` the line and what to try: words for the student.
    """

    right: bool | None
    how: str
    problem: str | None = None
    hint: str | None = None
    where: str | None = None


@dataclass(frozen=True)
class Places:
    """Lines of the student's code, each as "hw3.py, line 20: code", that a miss may come from.

    `placed` put the layers where they are. The others are found in the text: `forward` is its
    definition, `cuts` may keep gradients from layers, `coarse` makes numbers coarser than float32,
    `lists` are attributes that are plain lists.
    """

    placed: tuple[str, ...] = ()
    forward: tuple[str, ...] = ()
    cuts: tuple[str, ...] = ()
    coarse: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()


def listed(lines: Iterable[str], most: int = 2) -> str | None:
    """Some lines of code as one text; None for none."""
    every = list(lines)
    more = f"; and {len(every) - most} more" if len(every) > most else ""
    return "; ".join(every[:most]) + more or None


@dataclass(frozen=True)
class GpuArgument:
    """How the class gets to know its GPUs where its constructor takes a count or devices.

    `by` is "script" where the script's own call could be followed; else "default" where the class
    was not told, and "grader" where it has to be.
    """

    parameter: str
    text: str
    by: str


@dataclass(frozen=True)
class Forward:
    """One forward pass of the model at (`dim`, `depth`) on `gpus` GPUs.

    `script` names the script whose run says where the layers ran, where it is not the class alone.
    """

    dim: int
    depth: int
    gpus: int
    trace: Trace
    numbers: Numbers
    gpu_argument: GpuArgument | None = None
    script: str | None = None
    places: Places = Places()

    @property
    def placement(self) -> list[int]:
        """The GPU of each layer, in order of execution."""
        return self.trace.placement()

    @property
    def placed_at(self) -> str | None:
        """The lines that put the layers where they are."""
        return listed(self.places.placed)

    @property
    def ran_at(self) -> str | None:
        """The lines at which the layers ran; else where forward() begins."""
        return listed(self.trace.lines_of_layers()) or listed(self.places.forward)

    @property
    def copied_at(self) -> str | None:
        """The lines that copied from one GPU to another, and how often each."""
        copies = self.trace.lines_of_copies().items()
        return listed(f"{line} ({_times(count)})" for line, count in copies)

    def layers_per_gpu(self) -> list[int]:
        """Layer counts, one entry per visible GPU, zeros included."""
        return self.trace.layers_per_gpu()

    def to_json(self) -> Json:
        transfers = {
            "gpu_to_gpu": self.trace.gpu_to_gpu(),
            "host_to_gpu": self.trace.host_to_gpu(),
            "gpu_to_host": self.trace.gpu_to_host(),
        }
        head = {"probe": "forward", "dim": self.dim, "depth": self.depth, "gpus": self.gpus}
        return head | {
            "placement": self.placement,
            "transfers": transfers,
            "to_calls": self.trace.calls_of_to(),
            "script": self.script,
        }


@dataclass(frozen=True)
class Built:
    """A model that was built, and perhaps does not run: which GPU holds each layer's weights."""

    dim: int
    depth: int
    gpus: int
    placement: list[int]
    gpu_argument: GpuArgument | None = None
    places: Places = Places()

    @property
    def placed_at(self) -> str | None:
        """The lines that put the layers where they are."""
        return listed(self.places.placed)

    def layers_per_gpu(self) -> list[int]:
        """Layer counts, one entry per visible GPU, zeros included."""
        return [self.placement.count(gpu) for gpu in range(self.gpus)]

    def to_json(self) -> Json:
        head = {"probe": "build", "dim": self.dim, "depth": self.depth, "gpus": self.gpus}
        return head | {"placement": self.placement}


@dataclass(frozen=True)
class ScriptRun:
    """A script of the hand-in run whole on `gpus` GPUs, without data, with models of our `depth`.

    `trace` holds one forward pass of each way in which its model ran. `fault` is the mistake at
    which it ended, `gap` why it could not be run or not to its end by no fault of its author's.
    `cut` says that it took too long. `replicated`: torch copied the whole model to several GPUs,
    as nn.DataParallel does. `trained`: an optimizer of all parameters stepped after a backward
    pass; what comes of that is not computed. `asked`: it asked for input or arguments, and was
    answered by us. `placed` are the lines that put the layers where they ran, or hand the whole
    model to several GPUs; `hint` is what to try about the fault.
    """

    depth: int
    gpus: int
    trace: Trace
    file: str | None = None
    replicated: bool = False
    trained: bool = False
    cut: bool = False
    fault: str | None = None
    gap: str | None = None
    asked: bool = False
    placed: tuple[str, ...] = ()
    hint: str | None = None

    def trace_of_model(self) -> Trace | None:
        """The last way in which a model of our depth ran, as a trace; None where none did."""
        found = [
            forward
            for forward, way in self.trace.ways().items()
            if len(way.placement) == self.depth and not self.replicated
        ]
        return self.trace.only(found[-1:]) if found else None

    def to_json(self) -> Json:
        head = {"probe": "script", "file": self.file, "depth": self.depth, "gpus": self.gpus}
        return head | {
            "passes": [way._asdict() for way in self.trace.ways().values()],
            "replicated": self.replicated,
            "trained": self.trained,
            "fault": self.fault,
            "gap": self.gap,
        }


@dataclass(frozen=True)
class Training:
    """A few training steps of the same model.

    `losses` has one value per step, `memory` the peak bytes per GPU, `changed` says whether
    any parameter is different afterwards.
    """

    dim: int
    depth: int
    gpus: int
    losses: list[float]
    memory: list[int]
    changed: bool
    numbers: Numbers
    places: Places = Places()

    @property
    def suspects(self) -> str | None:
        """Lines that may keep gradients from layers; else where forward() begins."""
        return listed(self.places.cuts or self.places.forward)

    def to_json(self) -> Json:
        head = {"probe": "train", "dim": self.dim, "depth": self.depth, "gpus": self.gpus}
        return head | {
            "trained": self.changed and self.numbers.right is not False,
            "losses": [loss if math.isfinite(loss) else None for loss in self.losses],
            "memory_bytes": self.memory,
        }


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


class Prober(Protocol):
    """Makes observations. Raises ProbeFailed or `expect.NeedsPerson`."""

    def build(self, depth: int, gpus: int) -> Built: ...

    def forward(self, depth: int, gpus: int) -> Forward: ...

    def train(self, depth: int, gpus: int) -> Training: ...

    def run_script(self, depth: int, gpus: int) -> ScriptRun: ...

    def program(self, wanted: ProgramWanted) -> Program: ...

    def torchrun(self, wanted: RanksWanted) -> Ranks: ...
