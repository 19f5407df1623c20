"""Makes the observations that checks ask for: starts workers, challenges them, checks numbers."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from grader.checking.expect import NeedsPerson
from grader.checking.explain import hint_for
from grader.checking.observations import Forward, GpuArgument, Numbers, ProbeFailed, Training
from grader.errors import InternalError
from grader.judge import challenge as drawing
from grader.judge.chain import Chain, possible_chains, relative_error
from grader.judge.challenge import Challenge, Floats
from grader.records import Json
from grader.rubric import Limits, Model
from grader.sandbox.host import Launcher, Worker, WorkerLost
from grader.sandbox.protocol import Frame
from grader.trace import Trace

TOLERANCE = 1e-5  # relative, float32 against float64
LOSS_TOLERANCE = 1e-4  # three training steps add up more rounding


@dataclass
class Built:
    """A model as a worker built it, with the challenge drawn for it."""

    worker: Worker
    width: int
    facts: Json
    challenge: Challenge
    chains: list[Chain]

    @property
    def gpu_argument(self) -> GpuArgument | None:
        given = self.facts["gpu_argument"]
        return None if given is None else GpuArgument(**given)


@dataclass
class WorkerProber:
    """Probes one hand-in: a fresh process per number of GPUs, started when first needed.

    Time lost to time-outs is bounded in all: after `limits.lost` seconds the remaining probes
    are not tried. Use as a context manager; leaving it ends all workers.
    """

    launcher: Launcher
    folder: Path
    files: Sequence[Path]
    words: Model
    limits: Limits
    pinned: str | None = None
    output: str = ""
    _workers: dict[tuple[int, bool], Worker] = field(default_factory=dict)
    _lost_seconds: float = 0.0
    _random: np.random.Generator = field(default_factory=drawing.generator)

    def __enter__(self) -> WorkerProber:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers.values():
            worker.close()
        self._workers.clear()

    # -------------------------------------------------------------- the two probes

    def forward(self, depth: int, gpus: int) -> Forward:
        """One forward pass, its numbers checked."""
        built = self._build(depth, gpus)
        given = built.challenge
        facts, (output,) = self._forward(built, given.batch)
        _, (other,) = self._forward(built, given.other_batch)
        numbers = self._compare(built, output, other, depth, gpus)
        trace = _trace(facts)
        return Forward(built.width, depth, gpus, trace, numbers, built.gpu_argument)

    def train(self, depth: int, gpus: int) -> Training:
        """A few training steps, their losses recomputed where the model is a chain."""
        built = self._build(depth, gpus)
        given = built.challenge
        arrays = [given.batch, given.target, *given.weights]
        extra = {"steps": given.steps, "rate": given.rate}
        facts, after = self._ask(built.worker, "train", arrays, self.limits.train, given, extra)
        changed = any(
            (now != before).any() for now, before in zip(after, given.weights, strict=True)
        )
        losses = [float(loss) for loss in facts["losses"]]
        numbers = self._compare_losses(built, losses)
        memory = _trace(facts).peak_memory
        return Training(built.width, depth, gpus, losses, memory, changed, numbers)

    def _forward(self, built: Built, batch: Floats) -> tuple[Json, list[Floats]]:
        given = built.challenge
        arrays = [batch, *given.weights]
        return self._ask(built.worker, "forward", arrays, self.limits.forward, given, {})

    # -------------------------------------------------------------- building

    def _build(
        self, depth: int, gpus: int, *, collapse: bool = False, width: int | None = None
    ) -> Built:
        worker = self._worker(gpus, collapse)
        width = width or drawing.draw_width(self._random)
        request = {
            "probe": "build",
            "files": [str(file) for file in self.files],
            "words": _vocabulary(self.words),
            "width": width,
            "depth": depth,
            "seed": int(self._random.integers(1, 2**31)),
        }
        _, buffers = self._exchange(worker, request, [], self.limits.build)
        try:
            facts = _json(buffers[0])
            parameters = [(str(n), tuple(int(k) for k in s)) for n, s in facts["parameters"]]
            modules = [(str(n), str(kind)) for n, kind in facts["modules"]]
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise ProbeFailed("the process answered with something unreadable") from error
        chains = possible_chains(modules, parameters)
        self.pinned = facts["pinned"]
        given = drawing.draw(self._random, width, parameters)
        return Built(worker, width, facts, given, chains)

    def _worker(self, gpus: int, collapse: bool) -> Worker:
        key = (gpus, collapse)
        if key not in self._workers:
            if self._lost_seconds >= self.limits.lost:
                raise ProbeFailed(
                    f"not tried: earlier runs did not finish within {self.limits.lost:g} s in all"
                )
            started = self.launcher.launch(self.folder, gpus, collapse=collapse)
            self._workers[key] = Worker(started)
        return self._workers[key]

    # -------------------------------------------------------------- asking

    def _ask(
        self,
        worker: Worker,
        probe: str,
        arrays: Sequence[Floats],
        seconds: float,
        given: Challenge,
        extra: Json,
    ) -> tuple[Json, list[Floats]]:
        shapes = [list(a.shape) for a in arrays]
        request = {"probe": probe, "shapes": shapes, "seed": given.seed} | extra
        _, buffers = self._exchange(worker, request, [a.tobytes() for a in arrays], seconds)
        try:
            facts = _json(buffers[0])
            if probe == "forward":
                wanted = [tuple(int(k) for k in facts["shape"])]
            else:
                wanted = [w.shape for w in given.weights]
            numbers = [
                np.frombuffer(data, dtype="<f4").reshape(shape)
                for data, shape in zip(buffers[1:], wanted, strict=True)
            ]
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise ProbeFailed("the process answered with something unreadable") from error
        return facts, numbers

    def _exchange(
        self, worker: Worker, request: Json, buffers: Sequence[bytes], seconds: float
    ) -> Frame:
        began = time.monotonic()
        try:
            header, answer = worker.ask(request, buffers, seconds=seconds)
        except WorkerLost as lost:
            self._forget(worker)
            if lost.reason == "timeout":
                self._lost_seconds += time.monotonic() - began
            self.output = lost.output
            raise ProbeFailed(
                f"{_DOING[request['probe']]}: {lost.message}",
                hint=hint_for(lost.reason),
                operator=lost.output,
            ) from lost
        self.output = worker.output
        status = header.get("status")
        if status == "seen":
            return header, answer
        message = str(header.get("message", ""))
        if status == "gap":
            raise NeedsPerson(message)
        if status in ("fault", "import-fault"):
            where = header.get("where")
            raise ProbeFailed(
                f"{_DOING[request['probe']]}: {message}" + (f" ({where})" if where else ""),
                hint=hint_for(message),
                blocked=status == "import-fault",
                operator=str(header.get("details", "")),
            )
        raise InternalError(f"the worker failed during {request['probe']}", found=message)

    def _forget(self, worker: Worker) -> None:
        self._workers = {k: w for k, w in self._workers.items() if w is not worker}

    # -------------------------------------------------------------- numbers

    def _compare(
        self, built: Built, output: Floats, other: Floats, depth: int, gpus: int
    ) -> Numbers:
        given = built.challenge
        if not np.isfinite(output).all():
            return Numbers(False, "recomputed", "the output holds NaN or infinity")
        if built.chains:
            pairs = ((given.batch, output), (given.other_batch, other))
            error = min(
                max(relative_error(out, c.forward(given.weights, x)) for x, out in pairs)
                for c in built.chains
            )
            return _verdict(error, "recomputed layer by layer")
        if not given.weights:
            return Numbers(None, "", "the model has no registered parameters to give values to")
        if relative_error(output, other) < TOLERANCE:
            return Numbers(False, "two inputs", "two different inputs give the same output")
        return self._compare_on_one_device(built, output, depth, gpus)

    def _compare_on_one_device(
        self, built: Built, output: Floats, depth: int, gpus: int
    ) -> Numbers:
        """For architectures that we do not recompute: their own run on a single device."""
        how = "compared with its own run on one device"
        try:
            single = self._build(depth, gpus, collapse=True, width=built.width)
            if [w.shape for w in single.challenge.weights] != [
                w.shape for w in built.challenge.weights
            ]:
                return Numbers(None, how, "on one device the model has other parameters")
            same = Built(single.worker, built.width, single.facts, built.challenge, single.chains)
            _, (expected,) = self._forward(same, built.challenge.batch)
        except (ProbeFailed, NeedsPerson) as error:
            return Numbers(None, how, f"it does not run on one device: {error}")
        return _verdict(relative_error(output, expected), how)

    def _compare_losses(self, built: Built, losses: list[float]) -> Numbers:
        given, how = built.challenge, "recomputed step by step"
        if not built.chains:
            return Numbers(None, how, "not a chain of Linear and ReLU layers")
        error = min(
            relative_error(
                np.array(losses),
                np.array(
                    c.train(
                        given.weights, given.batch, given.target, steps=given.steps, rate=given.rate
                    )
                ),
            )
            for c in built.chains
        )
        if error > LOSS_TOLERANCE:
            return Numbers(False, how, f"the losses differ from the right ones by {error:.0%}")
        return Numbers(True, how)


_DOING = {
    "build": "building the model failed",
    "forward": "the forward pass failed",
    "train": "training failed",
}


def _verdict(error: float, how: str) -> Numbers:
    if error <= TOLERANCE:
        return Numbers(True, how)
    off = "has another shape" if error == float("inf") else f"is off by {error:.1%}"
    return Numbers(False, how, f"an output that {off} ({how})")


def _vocabulary(words: Model) -> Json:
    return {
        "class_name": words.class_name,
        "width": list(words.width),
        "depth": list(words.depth),
        "gpus": list(words.gpus),
        "devices": list(words.devices),
    }


def _json(data: bytes) -> Json:
    value: Any = json.loads(data)
    if not isinstance(value, dict):
        raise TypeError("expected a JSON object")
    return value


def _trace(facts: Json) -> Trace:
    try:
        return Trace.from_json(facts["trace"])
    except (KeyError, ValueError) as error:
        raise ProbeFailed("the process answered with something unreadable") from error
