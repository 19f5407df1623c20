"""Notes what a program does while it runs: see `grader.program`.

What stands in the place of torch's and Python's own functions does what they do, and takes a
note where the code of the hand-in called it.
"""

from __future__ import annotations

import functools
import hashlib
import io
import os
import sys
import threading
import time
import timeit
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch import nn
from torch.optim.optimizer import (
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)
from torch.utils.weak import WeakIdKeyDictionary

from grader import vgpu
from grader.program import ON_GPU, Call, Data, Event, Joined, Kind
from grader.sandbox.places import NOTEBOOKS
from grader.trace import HOST, Trace
from grader.vgpu import devices, recorder
from grader.vgpu.tensor import numbers

MOST = 5_000  # events, and calls, that are kept
_MOST_PRINTED = 2_000  # of them: what is printed shall not be all
LONGEST = 4_000  # characters of a printed line
_MOST_CHARACTERS = 400_000  # of all that is printed
_REMEMBERED = 64  # calls whose inputs are kept, for what is joined from their outputs
_COMPARED = 8  # joined tensors that are computed once more
_LOOKED_AT = 10_000  # values of one parameter, about: of a large one all take longer than a step
_SAME = 1e-4  # relative: a batch in parts is rounded otherwise

_CLOCKS = ("time", "perf_counter", "monotonic", "time_ns", "perf_counter_ns", "monotonic_ns")
_MEMORY = (
    *("memory_allocated", "max_memory_allocated", "memory_reserved", "max_memory_reserved"),
    *("memory_stats", "memory_summary", "mem_get_info"),
)
_JOINING = ("cat", "concat", "concatenate", "vstack", "row_stack", "hstack", "stack")
#: Models that hand their input on to another.
_WRAPPERS = ("DataParallel", "DistributedDataParallel")

Tell = Callable[[Event], None]


class Watch:
    """What the program of this process, in `folder`, did so far; `tell` hears of it at once."""

    def __init__(self, folder: Path, tell: Tell | None = None) -> None:
        self.events: list[Event] = []
        self.calls: list[Call] = []
        self._folder = f"{folder}{os.sep}"
        self._tell = tell
        self._here = threading.local()
        self._printed = self._characters = 0
        self._models: Any = WeakIdKeyDictionary()  # their numbers
        self._adding = threading.Lock()  # replicas run in threads
        self._outputs: Any = WeakIdKeyDictionary()  # the call that each came from
        self._asked: dict[int, tuple[nn.Module, torch.Tensor]] = {}  # by call
        self._joined: list[tuple[tuple[int, ...], torch.Tensor]] = []
        self._filled: dict[int, tuple[torch.Tensor, list[int]]] = {}  # by id of what is filled

    def install(self) -> None:
        """Watch from now on, for good; virtual GPUs are installed already."""
        call = nn.Module.__call__

        @functools.wraps(call)
        def called(module: nn.Module, *args: Any, **kwargs: Any) -> Any:
            return self._called(call, module, args, kwargs)

        setattr(nn.Module, "__call__", called)  # noqa: B010 - it is a method to mypy
        sys.stdout, sys.stderr = _Told(sys.stdout, self.note), _Told(sys.stderr, self.note)
        register_optimizer_step_pre_hook(self._stepping)
        register_optimizer_step_post_hook(self._stepped)
        recorder.listen(self._taking_part)
        for name in _CLOCKS:
            self._noting(time, name, Kind.CLOCK)
        timeit.default_timer = time.perf_counter
        for waits in (torch.cuda, torch.cuda.Event, torch.cuda.Stream, torch.accelerator):
            self._noting(waits, "synchronize", Kind.SYNCHRONIZE)
        self._noting(torch.cuda.Event, "record", Kind.CLOCK, lambda *_, **__: ON_GPU)
        for name in _MEMORY:
            self._noting(torch.cuda, name, Kind.MEMORY, _number)
        self._noting(torch.Tensor, "backward", Kind.BACKWARD)
        self._noting(torch.autograd, "backward", Kind.BACKWARD)
        for name in _JOINING:
            self._following(name)
        self._following_parts()

    def note(self, kind: Kind, text: str = "", **more: Any) -> None:
        """Note what happens now; `more` are other fields of an event."""
        if len(self.events) >= MOST or (kind is Kind.PRINT and self._has_printed_enough(text)):
            return
        forward = recorder.here.where.forward
        counts = len(self.calls), *recorder.copies()
        event = Event(kind, text, self._line(), forward, *counts, **more)
        self.events.append(event)
        if self._tell is not None:
            self._tell(event)

    def _has_printed_enough(self, text: str) -> bool:
        self._printed += 1
        self._characters += len(text)
        return self._printed > _MOST_PRINTED or self._characters > _MOST_CHARACTERS

    def _line(self) -> str | None:
        """The innermost line of the hand-in that is at work.

        A thread of torch's own, as in a backward pass, has none: the main thread waits in one.
        """
        frame = self._own(sys._getframe(2))
        if frame is None:
            frame = self._own(sys._current_frames().get(threading.main_thread().ident or 0))
        if frame is None:
            return None
        return self.shown(frame.f_code.co_filename, frame.f_lineno)

    def shown(self, file: str, line: int) -> str:
        """A line of the hand-in as its author knows it: "part1.py:12", "all.ipynb, cell 3:2"."""
        name = file.removeprefix(self._folder)
        if file in NOTEBOOKS:
            cell, line = NOTEBOOKS[file].place(line)
            name += f", cell {cell}"
        return f"{name}:{line}"

    def trace(self) -> Trace:
        """What the devices did, with lines as their author knows them."""
        trace = vgpu.trace()
        for n, transfer in enumerate(trace.transfers):
            if transfer.line is not None:
                file, _, line = transfer.line.rpartition(":")
                trace.transfers[n] = transfer._replace(line=self.shown(file, int(line)))
        return trace

    def _own(self, frame: FrameType | None) -> FrameType | None:
        while frame is not None and not frame.f_code.co_filename.startswith(self._folder):
            frame = frame.f_back
        return frame

    def joined(self) -> list[Joined]:
        """What was put together from outputs; computes them once more, so this comes last."""
        filled = [(tuple(calls), target.detach()) for target, calls in self._filled.values()]
        return [
            Joined(calls, _data([output])[0], self._is_whole(calls, output))
            for calls, output in [*self._joined, *filled][:_COMPARED]
        ]

    # ------------------------------------------------------------------ models

    def _called(self, call: Any, module: nn.Module, args: Any, kwargs: Any) -> Any:
        """Note the call if it is part of no other in this thread."""
        if getattr(self._here, "inside", False) or len(self.calls) >= MOST:
            return call(module, *args, **kwargs)
        replica = bool(getattr(module, "_is_replica", False))
        given = list(_tensors([args, kwargs.values()]))
        if not replica:
            self.note(Kind.CALL, type(module).__name__, value=_sum(given))
        forward = recorder.here.where.forward if replica else recorder.forwards()
        with self._adding:
            model = self._models.setdefault(module, len(self._models))
            number = len(self.calls)
            self.calls.append(_call(module, given, forward, replica=replica, model=model))
        self._here.inside = True
        try:
            output = call(module, *args, **kwargs)
        finally:
            self._here.inside = False
        made = list(_tensors([output]))
        self.calls[number] = self.calls[number]._replace(outputs=_data(made))
        if len(made) == len(given) == 1 and not replica:
            self._remember(number, module, given[0].detach(), made[0])
        return output

    def _remember(
        self, number: int, module: nn.Module, given: torch.Tensor, made: torch.Tensor
    ) -> None:
        self._outputs[made] = number
        self._asked[number] = module, given
        if len(self._asked) > _REMEMBERED:
            del self._asked[next(iter(self._asked))]

    def _following(self, name: str) -> None:
        """Note where outputs of models are put together by torch's function of this name."""
        join = getattr(torch, name)

        @functools.wraps(join)
        def joining(*args: Any, **kwargs: Any) -> Any:
            output = join(*args, **kwargs)
            parts = list(_tensors([args, kwargs.values()]))
            calls = tuple(self._outputs.get(part, -1) for part in parts)
            if len(calls) > 1 and min(calls) >= 0:
                self._joined.append((calls, output.detach()))
            return output

        setattr(torch, name, joining)

    def _following_parts(self) -> None:
        """Note where an output is written into a part of another tensor: result[:32] = out."""
        write = torch.Tensor.__setitem__

        @functools.wraps(write)
        def writing(target: torch.Tensor, place: Any, value: Any) -> None:
            write(target, place, value)
            call = self._outputs.get(value, -1) if isinstance(value, torch.Tensor) else -1
            if call >= 0:
                self._filled.setdefault(id(target), (target, []))[1].append(call)

        setattr(torch.Tensor, "__setitem__", writing)  # noqa: B010 - as above

    def _is_whole(self, calls: tuple[int, ...], output: torch.Tensor) -> bool | None:
        """Whether the first call's model makes the same of all inputs at once."""
        if devices.is_dry() or not all(number in self._asked for number in calls):
            return None
        model, first = self._asked[calls[0]]
        inputs = [self._asked[number][1].to(first.device) for number in calls]
        try:
            with torch.no_grad():
                whole = model(torch.cat(inputs)).to(output.device)
        except Exception:  # a model that cannot take more at once: nobody knows
            return None
        if whole.shape != output.shape:
            return False
        return bool((whole - output).abs().max() <= _SAME * whole.abs().max())

    # ------------------------------------------------------------------ all else

    def _taking_part(self, name: str, size: int, group: tuple[int, ...] | None) -> None:
        self.note(Kind.COLLECTIVE, name, bytes=size, group=group)

    def _stepping(self, optimizer: torch.optim.Optimizer, *_: object) -> None:
        gradients = [p.grad for p in _parameters(optimizer) if p.grad is not None]
        self.note(Kind.GRADIENT, **_digest(gradients))

    def _stepped(self, optimizer: torch.optim.Optimizer, *_: object) -> None:
        self.note(Kind.STEP, **_digest(_parameters(optimizer)))

    def _noting(
        self, owner: Any, name: str, kind: Kind, tell: Callable[..., str] = lambda *_, **__: ""
    ) -> None:
        """Let the function of this name take a note when the hand-in's own code calls it.

        `tell` makes its text of the arguments.
        """
        function = getattr(owner, name)

        @functools.wraps(function)
        def noted(*args: Any, **kwargs: Any) -> Any:
            result = function(*args, **kwargs)
            if sys._getframe(1).f_code.co_filename.startswith(self._folder):
                self.note(kind, tell(*args, **kwargs))
            return result

        setattr(owner, name, noted)


class _Told(io.TextIOBase):
    """Standard output; each whole line of it is noted."""

    def __init__(self, stream: Any, note: Callable[[Kind, str], None]) -> None:
        self._stream, self._note = stream, note
        self._here = threading.local()  # print() writes the end of a line by itself

    def write(self, text: str) -> int:
        *whole, begun = (getattr(self._here, "begun", "") + text).split("\n")
        for line in whole:
            self._note(Kind.PRINT, line[:LONGEST])
        self._here.begun = begun[:LONGEST]
        self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        self._stream.flush()

    def writable(self) -> bool:
        return True


def _call(
    module: nn.Module,
    given: list[torch.Tensor],
    forward: int | None,
    *,
    replica: bool,
    model: int,
) -> Call:
    name = type(module).__name__
    weights = tuple(dict.fromkeys(map(_place, module.parameters())))
    inner = getattr(module, "module", None) if name in _WRAPPERS else None
    wraps = None if inner is None else type(inner).__name__
    return Call(name, wraps, _data(given), (), forward, replica, model, weights)


def _parameters(optimizer: torch.optim.Optimizer) -> list[torch.Tensor]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def _digest(tensors: list[torch.Tensor]) -> dict[str, Any]:
    """What tells tensors from others: a text for equal bits, a sum for equal values, their size.

    Without data they cannot be told from others: there is no text.
    """
    digest, total, seen = hashlib.sha256(), 0.0, False
    for values in map(numbers, tensors):
        if not values.is_meta and values.layout is torch.strided:
            some = values.flatten()[:: values.numel() // _LOOKED_AT | 1].cpu().double()
            digest.update(some.numpy().tobytes())
            total += float(some @ torch.arange(1.0, len(some) + 1).double().cos())
            seen = True
    size = sum(tensor.numel() * tensor.element_size() for tensor in tensors)
    if not seen:
        return {"bytes": size}
    return {"text": digest.hexdigest()[:16], "value": total, "bytes": size}


def _sum(tensors: list[torch.Tensor]) -> float | None:
    """Of all values; None where there are no real numbers."""
    held = [numbers(tensor) for tensor in tensors]
    if any(values.is_meta or values.is_complex() for values in held):
        return None
    return float(sum(values.double().sum() for values in held))


def _number(device: Any = None, *_: Any, **__: Any) -> str:
    """The number of a GPU, as torch.cuda takes it in many forms."""
    return str(torch.cuda._utils._get_device_index(device, optional=True))


def _data(tensors: Iterable[torch.Tensor]) -> tuple[Data, ...]:
    return tuple(Data(tuple(t.shape), _place(t)) for t in tensors)


def _place(tensor: torch.Tensor) -> int:
    return tensor.device.index if tensor.is_cuda else HOST


def _tensors(values: Iterable[Any]) -> Iterator[torch.Tensor]:
    """The tensors among values, within lists and tuples too."""
    for value in values:
        if isinstance(value, torch.Tensor):
            yield value
        elif isinstance(value, (list, tuple)) or type(value).__name__ == "dict_values":
            yield from _tensors(value)
