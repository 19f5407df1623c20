"""Makes the observations that checks ask for: starts workers, challenges them, checks numbers."""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import attrs
import numpy as np

from grader.checking.expect import NeedsPerson
from grader.checking.observations import Built as Observed
from grader.checking.observations import (
    Forward,
    Numbers,
    ProbeFailed,
    ScriptRun,
    Training,
    listed,
)
from grader.checking.wanted import ProgramWanted, RanksWanted
from grader.errors import InternalError
from grader.judge import answers, numbers
from grader.judge import challenge as drawing
from grader.judge.answers import BuildAnswer, ForwardAnswer, TrainAnswer, Unreadable
from grader.judge.chain import Chain, possible_chains, relative_error
from grader.judge.challenge import Challenge, Floats
from grader.judge.diagnosis import of_output
from grader.judge.directions import Directions
from grader.judge.exchange import Fault, Gap, Lost
from grader.judge.programs import Programs
from grader.judge.workers import Key, Workers
from grader.program import Program
from grader.ranks import Ranks
from grader.records import Json
from grader.rubric import Limits, Model, Script
from grader.sandbox.host import Launcher
from grader.sandbox.options import WorkerOptions
from grader.sandbox.protocol import HEADER_LIMIT, PAYLOAD_LIMIT
from grader.trace import Trace

T = TypeVar("T")

ON_ONE_DEVICE = "compared with its own run on one device"

#: What fits into one frame with room to spare: float32 values, and their arrays' shapes.
MOST_VALUES = PAYLOAD_LIMIT // 8
MOST_PARAMETERS = HEADER_LIMIT // 32

OUTLINE_BATCH = 8  # rows, as probes have them: some models split their batch


@dataclass(frozen=True)
class Built:
    """A model as a worker built it, with the challenge drawn for it."""

    key: Key
    width: int
    facts: BuildAnswer
    challenge: Challenge
    chains: list[Chain]


@dataclass
class WorkerProber:
    """Probes one hand-in: a fresh process per number of GPUs, started when first needed.

    Use as a context manager; leaving it ends all workers.
    """

    launcher: Launcher
    folder: Path
    files: Sequence[Path]
    words: Model | None
    limits: Limits
    scripts: Sequence[Script] = ()
    said: Directions = field(default_factory=Directions)
    random: np.random.Generator = field(
        default_factory=lambda: drawing.generator(drawing.fresh_seed())
    )
    notes: dict[str, None] = field(default_factory=dict)  # on how the code was used
    sites: tuple[str, ...] = ()  # the classes that could be the one to grade
    choice: int = 0  # which of them it is
    asked: dict[str, None] = field(default_factory=dict)  # roles of what we answered to questions
    by_script: bool = False  # layers are where they ran in the script
    built: bool = False  # a model was, as is said
    _reading: int = 0
    _width: int | None = None
    _other_way_hangs: bool = False

    def __enter__(self) -> WorkerProber:
        return self

    def __exit__(self, *_: object) -> None:
        self.workers.close()

    @functools.cached_property
    def workers(self) -> Workers:
        return Workers(self.launcher, self.folder, self.limits.lost, self.said)

    # -------------------------------------------------------------- the two probes

    def forward(self, depth: int, gpus: int) -> Forward:
        """One forward pass, its numbers checked.

        Where layers ran is what the class does, unless the script does something else with it, or
        only the script knows how to use it.
        """
        try:
            seen = self._read_twice(lambda: self._forward(depth, gpus))
        except (ProbeFailed, NeedsPerson) as error:
            if isinstance(error, ProbeFailed) and not self.by_script:
                raise
            unknown = Numbers(None, "not compared", f"by itself, the class does not run: {error}")
            placed = self._as_the_script(Forward(0, depth, gpus, Trace(gpus), unknown))
            if placed is None:
                raise
            return placed
        if self.by_script:
            placed = self._as_the_script(seen)
            if placed is None:
                raise NeedsPerson(f"the script runs no model of {depth} layers on {gpus} GPUs")
            return placed
        return self._with_gpus_known(seen)

    def _with_gpus_known(self, seen: Forward) -> Forward:
        """Where we cannot follow what the class is told of its GPUs, it counts that all are used.

        By the class when it is told nothing, or by the script in some of what it runs.
        """
        argument = seen.gpu_argument
        if argument is None or argument.by == "script":
            return seen
        if argument.by == "default" and _uses_all(seen):
            return replace(seen, gpu_argument=None)
        placed = self._as_the_script(seen)
        return placed if placed is not None and _uses_all(placed) else seen

    def build(self, depth: int, gpus: int) -> Observed:
        """Where the layers of a model are that is only built; tried even where its runs hang."""
        with self.workers.building_is_apart():
            return self._read_twice(lambda: self._observed(depth, gpus))

    def _observed(self, depth: int, gpus: int) -> Observed:
        built = self._build(depth, gpus)
        facts = built.facts
        return Observed(built.width, depth, gpus, facts.placement, facts.gpu_argument, facts.places)

    def train(self, depth: int, gpus: int) -> Training:
        """A few training steps, their losses recomputed where the model is a chain."""
        try:
            return self._read_twice(lambda: self._train(depth, gpus))
        except ProbeFailed as error:
            if not self.by_script:
                raise
            raise NeedsPerson(
                f"only within its script the model is where it runs; does it train? ({error})"
            ) from error

    def outline(self, depth: int, gpus: int, width: int) -> Trace:
        """The trace of one forward pass without data, which takes no more time for more width."""
        key = Key(WorkerOptions(gpus, dry=True), self._reading)
        self._construct(key, depth, width)
        request = {"probe": "outline", "shape": [OUTLINE_BATCH, width]}
        buffers = self.workers.ask(key, request, [], self.limits.forward)
        return _readable("outline", lambda: answers.read_outline(buffers, gpus))

    def run_script(self, depth: int, gpus: int) -> ScriptRun:
        """The script run whole, in a process of its own."""
        request = {
            "probe": "script",
            "files": self._searched(),
            "scripts": [str(file) for file in self.files],
            "words": self._words(),
            "depth": depth,
            "choice": self.choice,
        }
        try:
            options = WorkerOptions(gpus, dry=True)
            buffers = self._run_alone(options, request, self.limits.script)
            ran, notes = _readable("script", lambda: answers.read_script(buffers, depth, gpus))
        except (ProbeFailed, NeedsPerson) as error:
            return ScriptRun(depth, gpus, Trace(gpus), gap=str(error))
        self.notes |= dict.fromkeys(notes)
        return ran

    # -------------------------------------------------------------- whole programs

    def program(self, wanted: ProgramWanted) -> Program:
        """A program of the hand-in, run as its author would.

        Raises NeedsPerson where it takes more than there is here: its sizes are its author's.
        """
        try:
            return _readable("program", lambda: self._programs.program(wanted))
        except ProbeFailed as lost:
            if lost.hung or (isinstance(lost, Lost) and lost.reason == "memory"):
                raise NeedsPerson(str(lost), operator=lost.operator) from lost
            raise

    def torchrun(self, wanted: RanksWanted) -> Ranks:
        """The same in several processes. Ranks that hang take of the time for time-outs, too.

        Raises NeedsPerson where they take more than there is here: their sizes are their author's.
        Of ranks that hang it is known where, so a time-out of all of it is none of theirs.
        """
        began = time.monotonic()
        try:
            ran = _readable("torchrun", lambda: self._programs.torchrun(wanted))
        except Lost as lost:
            if lost.reason in ("memory", "timeout"):
                raise NeedsPerson(str(lost), operator=lost.operator) from lost
            raise
        if ran.hung:
            self.workers.lost_seconds += time.monotonic() - began
        return ran

    @functools.cached_property
    def _programs(self) -> Programs:
        seed = int(self.random.integers(1, 2**31))
        return Programs(self._run_alone, self.folder, self.files, self.scripts, self.limits, seed)

    def _run_alone(self, options: WorkerOptions, request: Json, seconds: float) -> list[bytes]:
        """Ask a process that is ended afterwards: a program leaves it in any state."""
        return self.workers.ask_once(Key(options, self._reading), request, seconds)

    def _as_the_script(self, seen: Forward) -> Forward | None:
        """The same with the layers where they ran in the script; None where it runs no model."""
        ran = self.run_script(seen.depth, seen.gpus)
        trace = ran.trace_of_model()
        if trace is None:
            return None
        places = replace(seen.places, placed=ran.placed)
        return replace(seen, trace=trace, gpu_argument=None, script=ran.file, places=places)

    def _forward(self, depth: int, gpus: int) -> Forward:
        built = self._build(depth, gpus)
        seen = self._run(built, built.challenge.batch)
        other = self._run(built, built.challenge.other_batch)
        verdict = self._compare(built, seen, other.output, depth)
        verdict = of_output(verdict, built.facts, seen.trace)
        argument = built.facts.gpu_argument
        return Forward(
            built.width, depth, gpus, seen.trace, verdict, argument, places=built.facts.places
        )

    def _train(self, depth: int, gpus: int) -> Training:
        built = self._build(depth, gpus)
        seen = self._run(built, built.challenge.batch)
        other = self._run(built, built.challenge.other_batch).output
        chains = numbers.matching(built.chains, built.challenge, seen.output, other)
        for given in self._rates(built.challenge, chains):
            trained = self._steps(built, given)
            if all(map(math.isfinite, trained.losses)):
                break
        verdict = self._compare_training(built, given, seen, trained, chains, depth)
        changed = any(
            (now != before).any()
            for now, before in zip(trained.parameters, given.weights, strict=True)
        )
        memory = trained.trace.peak_memory
        places = built.facts.places
        verdict = replace(verdict, where=listed(places.cuts or places.forward))
        return Training(built.width, depth, gpus, trained.losses, memory, changed, verdict, places)

    def _rates(self, given: Challenge, chains: list[Chain]) -> list[Challenge]:
        """The challenge at a learning rate that suits the model, or at several where unknown."""
        if chains:
            rounding, margin = numbers.LOSS_TOLERANCE / 5, numbers.MARGIN
            return [drawing.with_steady_rate(given, chains, rounding=rounding, margin=margin)]
        return [replace(given, rate=rate) for rate in (1e-3, 1e-6, 1e-9, 1e-12)]

    # -------------------------------------------------------------- two ways to read a file

    def _read_twice(self, probe: Callable[[], T]) -> T:
        """Make a probe; where the code fails, read its file the other way and try again.

        A failure is the student's only where both ways end in the same mistake: otherwise it may
        come from how we took the class out of its script.
        """
        try:
            return probe()
        except (Fault, Gap) as error:
            if isinstance(error, Fault) and error.certain:
                raise
            first = error
        if self._other_way_hangs:
            raise _unclear(first, "running the whole script takes too long")
        before = self._reading, self.workers.lost_seconds
        self._reading = 1 - self._reading
        try:
            return probe()
        except Exception as second:
            self._reading, self.workers.lost_seconds = before
            if not isinstance(second, (ProbeFailed, NeedsPerson)):
                raise  # ours
            self._other_way_hangs = isinstance(second, Lost) and second.reason == "timeout"
            raise _verdict_of_both(first, second) from second

    # -------------------------------------------------------------- building

    def _build(
        self, depth: int, gpus: int, *, collapse: bool = False, width: int | None = None
    ) -> Built:
        key = Key(WorkerOptions(gpus, collapse=collapse), self._reading)
        self.workers.get(key)  # runs before anything is drawn
        width = width or self._width_of_all()
        facts = self._construct(key, depth, width)
        shapes = [shape for _, shape in facts.parameters]
        size = sum(map(math.prod, shapes))
        if size > MOST_VALUES or len(shapes) > MOST_PARAMETERS:
            raise Gap({"message": f"built with width {width}, the model has {size} parameters"})
        self.notes |= dict.fromkeys(facts.notes)
        possible = possible_chains(facts.modules, facts.parameters)
        chains = [chain for chain in possible if chain.fits(shapes, width)]
        given = drawing.draw_settled(
            self.random,
            width,
            facts.parameters,
            chains,
            rounding=numbers.TOLERANCE / 5,
            margin=numbers.MARGIN,
        )
        return Built(key, width, facts, given, chains)

    def _construct(self, key: Key, depth: int, width: int) -> BuildAnswer:
        request = {
            "probe": "build",
            "files": self._searched(),
            "words": self._words(),
            "width": width,
            "depth": depth,
            "seed": int(self.random.integers(1, 2**31)),
            "reading": self._reading,
            "choice": self.choice,
        }
        buffers = self.workers.ask(key, request, [], self.limits.build)
        facts = _readable("build", lambda: answers.read_build(buffers))
        self.built = True
        self.sites = facts.sites
        self.asked |= dict.fromkeys(facts.asked)
        return facts

    def _searched(self) -> list[str]:
        """The files in which the model may be."""
        return [str(file) for file in ([self.said.file] if self.said.file else self.files)]

    def _words(self) -> Json:
        """The rubric's words, and what the instructor says of this hand-in."""
        if self.words is None:
            raise InternalError(
                "a check asks for the model class", expected="[model] in rubric.toml", do="add it"
            )
        said = {"only": self.said.class_name, "given": self.said.arguments}
        return attrs.asdict(self.words) | said

    def _width_of_all(self) -> int:
        """One width for all GPU counts, so that their memory can be compared."""
        if self._width is None:
            self._width = drawing.draw_width(self.random)
        return self._width

    # -------------------------------------------------------------- asking

    def _run(self, built: Built, batch: Floats) -> ForwardAnswer:
        arrays = [batch, *built.challenge.weights]
        buffers = self._ask(built, "forward", arrays, self.limits.forward, {})
        return _readable("forward", lambda: answers.read_forward(buffers, built.key.options.gpus))

    def _steps(self, built: Built, given: Challenge) -> TrainAnswer:
        arrays = [given.batch, given.target, *given.weights]
        extra = {"steps": given.steps, "rate": given.rate}
        buffers = self._ask(built, "train", arrays, self.limits.train, extra)
        shapes = [w.shape for w in given.weights]
        return _readable(
            "train", lambda: answers.read_train(buffers, built.key.options.gpus, shapes)
        )

    def _ask(
        self, built: Built, probe: str, arrays: Sequence[Floats], seconds: float, extra: Json
    ) -> list[bytes]:
        shapes = [list(a.shape) for a in arrays]
        request = {"probe": probe, "shapes": shapes, "seed": built.challenge.seed} | extra
        try:
            return self.workers.ask(built.key, request, [a.tobytes() for a in arrays], seconds)
        except Fault as fault:
            places = built.facts.places
            lists = places.lists if "empty parameter list" in fault.says else ()
            fault.where = fault.where or listed(lists or places.cuts or places.forward)
            raise

    # -------------------------------------------------------------- numbers

    def _compare(self, built: Built, seen: ForwardAnswer, other: Floats, depth: int) -> Numbers:
        given = built.challenge
        if (known := numbers.without_reference(given, seen)) is not None:
            return known
        if built.chains:
            return numbers.against_chains(built.chains, given, seen, other)
        if (known := numbers.heeds_input(seen, other)) is not None:
            return known

        def compare(same: Built) -> Numbers:
            expected = self._run(same, given.batch).output
            return numbers.verdict(relative_error(seen.output, expected), ON_ONE_DEVICE)

        return self._on_one_device(built, depth, compare)

    def _compare_training(
        self,
        built: Built,
        given: Challenge,
        seen: ForwardAnswer,
        trained: TrainAnswer,
        matching: list[Chain],
        depth: int,
    ) -> Numbers:
        """`matching` are the chains whose forward pass the model's is; the rest may be wrong."""
        names = [name for name, _ in built.facts.parameters]
        if built.chains:
            comparable = built.chains if numbers.is_comparable(given, seen) else []
            return numbers.against_training(matching or comparable, given, names, trained)
        if (known := numbers.without_reference(given, seen)) is not None:
            return known

        def compare(same: Built) -> Numbers:
            expected = self._steps(same, given).trained
            return numbers.same_training(expected, given, names, trained, ON_ONE_DEVICE)

        verdict = self._on_one_device(built, depth, compare)
        name = numbers.without_gradient(names, trained)
        if verdict.right and name is not None:
            return Numbers(None, ON_ONE_DEVICE, f"no gradient reaches {name}")
        return verdict

    def _on_one_device(
        self, built: Built, depth: int, compare: Callable[[Built], Numbers]
    ) -> Numbers:
        """For architectures that we do not recompute: their own run on a single device."""
        gpus = built.key.options.gpus
        try:
            single = self._build(depth, gpus, collapse=True, width=built.width)
            if single.facts.parameters != built.facts.parameters:
                why = "on one device the model has other parameters"
                return Numbers(None, ON_ONE_DEVICE, why)
            return compare(replace(single, challenge=built.challenge))
        except (ProbeFailed, NeedsPerson) as error:
            return Numbers(None, ON_ONE_DEVICE, f"it does not run on one device: {error}")


def _uses_all(seen: Forward) -> bool:
    return set(seen.placement) == set(range(seen.gpus))


def _readable(probe: str, read: Callable[[], T]) -> T:
    try:
        return read()
    except Unreadable as error:
        message = "the process answered with something unreadable"
        raise Lost(probe, "garbled", message, str(error)) from error


def _verdict_of_both(
    first: Fault | Gap, second: ProbeFailed | NeedsPerson
) -> ProbeFailed | NeedsPerson:
    if isinstance(first, Gap):
        return first
    if isinstance(second, Fault) and second.is_same(first):
        return first
    return _unclear(first, f"with its script read another way: {second}")


def _unclear(first: Fault | Gap, why: str) -> NeedsPerson:
    return NeedsPerson(f"{first} ({why})", operator=first.operator)
