"""What workers answer, read with suspicion: a student's process may say anything.

Each `read_*` takes the buffers of one answer and returns it checked, or raises `Unreadable`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np

from grader.checking.observations import GpuArgument, Places, ScriptRun
from grader.judge.chain import Trained
from grader.judge.challenge import Floats, Shape
from grader.mistakes import explained
from grader.records import Json
from grader.trace import Trace

FACTS_LIMIT = 8 << 20  # bytes; the trace of one probe takes some tens of thousands
MOST_LINES = 100  # of code, of one kind

T = TypeVar("T")


class Unreadable(Exception):
    """An answer that an honest worker does not give."""


@dataclass(frozen=True)
class BuildAnswer:
    """A model's parameters (name, shape) and its leaf modules (name, kind), both in order.

    `sites` are the classes that could be the one to grade: the name and file of each;
    `placement` is where the weight matrices are; `asked` are the roles of what the code asked for
    and we answered ("" for none that we know).
    """

    parameters: list[tuple[str, Shape]]
    modules: list[tuple[str, str]]
    notes: tuple[str, ...]
    gpu_argument: GpuArgument | None
    sites: tuple[str, ...]
    asked: tuple[str, ...]
    placement: list[int]
    places: Places


@dataclass(frozen=True)
class ForwardAnswer:
    """The output as float32; `dtype` is what it was on the device."""

    trace: Trace
    output: Floats
    dtype: str


@dataclass(frozen=True)
class TrainAnswer:
    """Losses before each step, the first step's gradients, and the parameters after the last."""

    trace: Trace
    losses: list[float]
    gradients: list[Floats]
    parameters: list[Floats]

    @property
    def trained(self) -> Trained:
        """The same as a chain's training says it."""
        return Trained(np.array(self.losses), self.gradients, self.parameters)


def read_build(buffers: Sequence[bytes]) -> BuildAnswer:
    return _checked(lambda: _build(_facts(buffers)))


def read_forward(buffers: Sequence[bytes], gpus: int) -> ForwardAnswer:
    def read() -> ForwardAnswer:
        facts = _facts(buffers)
        (data,) = buffers[1:]
        output = _array(data, tuple(int(n) for n in facts["shape"]))
        return ForwardAnswer(_trace(facts, gpus), output, plain(facts["dtype"]))

    return _checked(read)


def read_outline(buffers: Sequence[bytes], gpus: int) -> Trace:
    return _checked(lambda: _trace(_facts(buffers), gpus))


def read_script(buffers: Sequence[bytes], depth: int, gpus: int) -> tuple[ScriptRun, list[str]]:
    """The run, and notes on how the code was used."""

    def read() -> tuple[ScriptRun, list[str]]:
        facts = _facts(buffers)
        problem = facts["problem"] or {}
        message, where = (plain(problem.get(key) or "") for key in ("message", "where"))
        mistake = explained(message, where.partition(": ")[2])
        told = f"{message} ({where})" if where else message
        run = ScriptRun(
            depth,
            gpus,
            _trace(facts, gpus),
            plain(facts["file"]),
            replicated=facts["replicated"] is True,
            trained=facts["trained"] is True,
            cut=facts["cut"] is True,
            fault=told if problem and not facts["gap"] else None,
            gap=told if problem and facts["gap"] else None,
            asked=facts["asked"] is True,
            placed=_lines(facts["placed"]),
            hint=mistake.fix if mistake else None,
        )
        return run, list(map(plain, facts["notes"]))

    return _checked(read)


def read_train(buffers: Sequence[bytes], gpus: int, shapes: Sequence[Shape]) -> TrainAnswer:
    """`shapes` are those of the parameters, which all come back, after their gradients."""

    def read() -> TrainAnswer:
        facts = _facts(buffers)
        both = zip(buffers[1:], [*shapes, *shapes], strict=True)
        arrays = [_array(data, shape) for data, shape in both]
        losses = [float(loss) for loss in facts["losses"]]
        half = len(shapes)
        return TrainAnswer(_trace(facts, gpus), losses, arrays[:half], arrays[half:])

    return _checked(read)


def plain(text: object, most: int = 500) -> str:
    """One line of printable characters, fit for a terminal, a PDF and a JSON file."""
    return "".join(c if c.isprintable() else " " for c in str(text)[:most])


def plain_lines(text: object, most: int = 8000) -> str:
    """As `plain`, with line ends kept."""
    return "\n".join(plain(line, most) for line in str(text)[-most:].splitlines())


def _checked(read: Callable[[], T]) -> T:
    try:
        return read()
    except (LookupError, TypeError, ValueError, ArithmeticError, RecursionError) as error:
        raise Unreadable(f"{type(error).__name__}: {error}") from error


def _facts(buffers: Sequence[bytes]) -> Json:
    if len(buffers[0]) > FACTS_LIMIT:
        raise ValueError(f"facts of {len(buffers[0])} bytes")
    facts = json.loads(buffers[0])
    if not isinstance(facts, dict):
        raise TypeError("expected a JSON object")
    return facts


def _build(facts: Json) -> BuildAnswer:
    argument = facts["gpu_argument"]
    return BuildAnswer(
        [(str(name), _shape(shape)) for name, shape in facts["parameters"]],
        [(str(name), str(kind)) for name, kind in facts["modules"]],
        tuple(map(plain, facts["notes"])),
        None
        if argument is None
        else GpuArgument(*(plain(argument[key]) for key in ("parameter", "text", "by"))),
        tuple(map(plain, facts["sites"])),
        tuple(map(plain, facts["asked"])),
        [int(gpu) for gpu in facts["placement"]],
        Places(**{kind.name: _lines(facts["places"][kind.name]) for kind in fields(Places)}),
    )


def _lines(value: Sequence[object]) -> tuple[str, ...]:
    """Lines of code, the first few."""
    return tuple(map(plain, value[:MOST_LINES]))


def _shape(value: list[object]) -> Shape:
    if not all(type(n) is int and n >= 0 for n in value):
        raise ValueError(f"not a shape: {value!r}")
    return tuple(value)  # type: ignore[arg-type]


def _array(data: bytes, shape: Shape) -> Floats:
    if len(data) != 4 * math.prod(shape):
        raise ValueError(f"{len(data)} bytes for an array of shape {shape}")
    return np.frombuffer(data, dtype="<f4").reshape(shape)


def _trace(facts: Json, gpus: int) -> Trace:
    trace = Trace.from_json(facts["trace"])
    if trace.devices != gpus:
        raise ValueError(f"a trace of {trace.devices} GPUs, expected {gpus}")
    return trace.with_lines(plain)
