"""Beside CUDA's words, what a beginner needs: the line, where its tensors are, and the fix.

The explanation is a note on the exception (`BaseException.add_note`): tracebacks show it below
the message, pytest's too, while `str(error)` stays CUDA's to the letter. Nothing here runs a line
of the script: names are looked up, properties and calls are left alone.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import sysconfig
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TypeVar

import torch

from grader.mistakes import explained
from grader.vgpu import devices, memory, sourceline
from grader.vgpu.recorder import here
from grader.vgpu.sourceline import Line, Placed

E = TypeVar("E", bound=BaseException)

_HEAD = "vgpu: "
_INDENT = " " * len(_HEAD)
_NOT_USERS = (
    f"{Path(torch.__file__).parent}{os.sep}",
    f"{Path(__file__).parent}{os.sep}",
    "<frozen ",
)
#: Of the libraries, too: what goes wrong in them comes from the line that called them.
_NOT_THE_SCRIPTS = (
    *_NOT_USERS,
    *(f"{sysconfig.get_path(name)}{os.sep}" for name in ("stdlib", "purelib", "platlib")),
)


def note(error: E, detail: str = "") -> E:
    """Add the explanation to an error of CUDA's that has none yet; answers the error itself.

    `detail` is what CUDA does not say: the index that was asked for, the number out of range.
    """
    explain = _explainer(str(error))
    if explain is None or hint(error) is not None:
        return error
    # Whatever is odd about the objects of a script, its own error is what must come out.
    with contextlib.suppress(Exception):
        frame = _frame_of(error)
        line = sourceline.read(frame) if frame else None
        head = [f"{line.where}: {line.text}"] if line else []
        error.add_note(_HEAD + f"\n{_INDENT}".join(head + explain(Case(line, str(error), detail))))
    return error


def at_end(error: E) -> E:
    """As `note`, for what ends a script: there any common mistake is explained.

    Not what the script raises itself: it says in its own words what it means.
    """
    if hint(note(error)) is None:
        with contextlib.suppress(Exception):
            where, code = _place(error)
            text = next(iter(str(error).strip().splitlines()), "")
            mistake = explained(f"{type(error).__name__}: {text}", code)
            if mistake and not code.startswith(("raise", "assert")):
                lines = [f"{where}: {code}", mistake.means, f"Fix: {mistake.fix}"]
                error.add_note(_HEAD + f"\n{_INDENT}".join(lines))
    return error


def _place(error: BaseException) -> tuple[str, str]:
    """The script's innermost line in an error, "file:number", and its code."""
    if isinstance(error, SyntaxError):
        return f"{error.filename}:{error.lineno}", (error.text or "").strip()
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not frame.filename.startswith(_NOT_THE_SCRIPTS)]
    return f"{own[-1].filename}:{own[-1].lineno}", own[-1].line or ""


def hint(error: BaseException) -> str | None:
    """The explanation that an exception carries; None if it has none."""
    notes: list[str] = getattr(error, "__notes__", [])
    return next((text for text in notes if str(text).startswith(_HEAD)), None)


def fact(error: BaseException) -> str | None:
    """Of that explanation, what is so: which tensor is where, which GPUs there are."""
    lines = (hint(error) or "").splitlines()
    said = next((line.strip() for line in lines[1:]), "")
    return said.partition(" Fix: ")[0] or None


@dataclass(frozen=True)
class Case:
    """One error: the line it comes from, CUDA's message, and what that leaves out."""

    line: Line | None
    message: str
    detail: str

    @property
    def placed(self) -> list[Placed]:
        return self.line.placed if self.line else []


Explainer = Callable[[Case], list[str]]


def _explainer(message: str) -> Explainer | None:
    return next((explain for words, explain in _EXPLAINERS if words.search(message)), None)


def _frame_of(error: BaseException) -> FrameType | None:
    """The innermost frame of the script: where the error came by, or else where it is made.

    A thread of torch's own has none; there the main thread waits for it in one.
    """
    found = None
    trace = error.__traceback__
    while trace is not None:
        found = user_frame(trace.tb_frame, outwards=False) or found
        trace = trace.tb_next
    found = found or user_frame(sys._getframe(1))
    if found is None:
        main = threading.main_thread().ident
        found = user_frame(sys._current_frames().get(main)) if main is not None else None
    return found


def user_frame(frame: FrameType | None, *, outwards: bool = True) -> FrameType | None:
    """The first frame, from `frame` (and on outwards), that is neither torch's nor ours."""
    while frame is not None and frame.f_code.co_filename.startswith(_NOT_USERS):
        frame = frame.f_back if outwards else None
    return frame


# ---------------------------------------------------------------------- one function per mistake


def _mixed(case: Case) -> list[str]:
    """Tensors of one op on several devices."""
    if case.detail:
        return [case.detail]
    placed, layer = case.placed, here.where.layer
    for item in placed:
        if item.is_module and len(item.devices) > 1:
            return [
                f"{item.text} has layers on {_and(item.devices)}; it stopped in {layer}.",
                "Fix: call the layers one by one, and move the data before the first of another "
                f'GPU: x = x.to("{item.devices[1]}")',
            ]
    if len({place for item in placed for place in item.devices}) < 2:
        return [f"One op needs all its tensors on one device. Fix: {_UNKNOWN}"]
    said = ", ".join(f"{item.text} is {_where(item.devices)}" for item in placed)
    return [f"{said}.", f"Fix: {_move(placed)}"]


def _where(places: list[str]) -> str:
    return f"on {places[0]}" if len(places) == 1 else f"spread over {_and(places)}"


_UNKNOWN = "move what is elsewhere: a = a.to(b.device)"


def _move(placed: list[Placed]) -> str:
    """Which of these to move: data to its layer, the CPU's to the GPU, the second to the first."""
    module = next((item for item in placed if item.is_module), None)
    tensors = [item for item in placed if not item.is_module]
    if module:
        goal = module.devices[0]
        odd = next((item for item in tensors if item.devices != [goal]), None)
        if odd is None:
            return _UNKNOWN
        if goal == "cpu":
            return f'{module.text}.to("{odd.devices[0]}"), once, where the model is made'
        return f'{odd.text} = {odd.text}.to("{goal}")'
    common = next((item for item in tensors if item.devices[0] != "cpu"), tensors[0])
    odd = next((item for item in tensors if item.devices != common.devices), tensors[-1])
    if len(odd.devices) > 1:
        return f'{odd.text} = [t.to("{common.devices[0]}") for t in {odd.text}]'
    return f"{odd.text} = {odd.text}.to({common.text}.device)"


def _ordinal(case: Case) -> list[str]:
    """A GPU that is not there."""
    asked = f" This line asks for {case.detail}." if case.detail else ""
    pins = os.environ.get("CUDA_VISIBLE_DEVICES")
    pinned = "" if pins is None else f" (CUDA_VISIBLE_DEVICES={pins})"
    return [
        f"{_there_are()}{pinned}.{asked}",
        "Fix: take the number from torch.cuda.device_count(), or ask for more: vgpu -n 8 script.py",
    ]


def _there_are() -> str:
    count = devices.count()
    if count < 2:
        return "There is one GPU, cuda:0" if count else "There is no GPU"
    return f"There are {count} GPUs, cuda:0 to cuda:{count - 1}"


def _none(case: Case) -> list[str]:  # noqa: ARG001
    """A machine without GPUs."""
    pins = os.environ.get("CUDA_VISIBLE_DEVICES")
    why = f"CUDA_VISIBLE_DEVICES={pins!r} hides all GPUs" if pins is not None else "It has no GPUs"
    return [
        f"{why}. To have some: vgpu -n 2 script.py",
        'Code for both: device = "cuda" if torch.cuda.is_available() else "cpu"',
    ]


def _memory(case: Case) -> list[str]:
    """A GPU that is full."""
    asked = re.search(r"allocate (.+?)\. GPU (\d+) has a total capacity of (.+?) of", case.message)
    used = [(memory.allocated(gpu), gpu) for gpu in range(devices.count())]
    fullest = [f"cuda:{gpu} {memory.amount(size)}" for size, gpu in sorted(used)[-4:] if size]
    lines = [f"In use now: {', '.join(reversed(fullest)) or 'nothing'}."]
    if asked:
        lines[0] = f"This needs {asked[1]} more on cuda:{asked[2]}, of {asked[3]}. {lines[0]}"
    return [
        *lines,
        "Fix: a smaller batch, fewer layers on this GPU, `del` of what is done with, "
        "torch.no_grad() where nothing is trained.",
        "To try a larger GPU: vgpu --memory 141GB script.py",
    ]


def _numpy(case: Case) -> list[str]:
    """NumPy reads the memory of the CPU only."""
    name = case.placed[0].text if case.placed else "x"
    return [
        "NumPy (and matplotlib, pandas) read the CPU's memory only.",
        f"Fix: {name}.detach().cpu().numpy()",
    ]


def _assertion(case: Case) -> list[str]:
    """An index out of range, found by a kernel."""
    return [
        f"An index is out of range: {case.detail}",
        "Class numbers go from 0 to classes - 1, row numbers from 0 to rows - 1; print min() and "
        "max() of the indices.",
        "A real GPU tells later, often at another line, and is unusable from then on.",
    ]


def _gradient(case: Case) -> list[str]:  # noqa: ARG001
    """A gradient on another device than its tensor."""
    return [
        "A gradient must be where its tensor is.",
        "Fix: grad = grad.to(x.device), in backward() of the Function or before it is handed over",
    ]


def _and(names: list[str]) -> str:
    return " and ".join(names) if len(names) < 3 else f"{', '.join(names[:-1])} and {names[-1]}"


#: Words of CUDA's messages, and who explains them.
_EXPLAINERS: list[tuple[re.Pattern[str], Explainer]] = [
    (re.compile(words), explain)
    for words, explain in (
        ("Expected all tensors to be on the same device", _mixed),
        ("indices should be either on cpu or on the same device", _mixed),
        ("expected self and mask to be on the same device", _mixed),
        ("expected device .* but got device .* for value tensor", _mixed),
        (r"Input type \(torch\.cuda\.\w+\) and \w+ type \(torch\.[A-Z]", _mixed),
        (r"Input type \(torch\.[A-Z]\w+\) and \w+ type \(torch\.cuda\.", _mixed),
        ("tensors are not at the same device", _mixed),
        ("key, and value to have the same device", _mixed),
        ("invalid device ordinal|Invalid device id", _ordinal),
        ("No CUDA GPUs are available|Torch not compiled with CUDA enabled", _none),
        ("CUDA out of memory", _memory),
        (r"device type tensor to numpy|Can't call numpy\(\) on Tensor", _numpy),
        ("device-side assert triggered", _assertion),
        ("invalid gradient at index|attempting to assign a gradient", _gradient),
    )
]
