"""Why a probe gave no observation, told apart by whose doing it is.

Raised in the worker, carried over the wire as JSON, read by the judge. A `StudentFault` may
cost points, an `InterfaceGap` never does: where it is unclear, it is a gap.
"""

from __future__ import annotations

import traceback
from pathlib import Path

from grader.records import Json
from grader.sandbox import asked
from grader.sandbox.places import inside, place

#: Characters; JSON may write twelve bytes for one, and a frame's header has a limit.
MESSAGE, PLACE, DETAILS = 500, 300, 4000

_VGPU = Path(__file__).parent.parent / "vgpu"
_COMPILER = tuple(str(Path("torch", part)) for part in ("_dynamo", "_inductor"))
_ASKING = {"argparse.py", "getopt.py", "optparse.py"}


class StudentFault(Exception):
    """The student's code failed. `where` is "file, line n: code"; `details` is for operators.

    `fact` is what the devices know of it: which tensor is where, which GPUs there are.
    """

    def __init__(
        self, message: str, *, where: str | None = None, details: str = "", fact: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.details = details
        self.fact = fact

    def to_json(self) -> Json:
        return {
            "message": self.message[:MESSAGE],
            "where": _short(self.where),
            "details": self.details[-DETAILS:],
            "fact": _short(self.fact),
        }


class ImportFault(StudentFault):
    """The file cannot even be loaded, so nothing after it was reached.

    `as_it_stands` says that it was loaded unchanged, so that no other reading can help.
    """

    def __init__(
        self, message: str, *, where: str | None, details: str = "", as_it_stands: bool
    ) -> None:
        super().__init__(message, where=where, details=details)
        self.as_it_stands = as_it_stands

    def to_json(self) -> Json:
        return super().to_json() | {"as_it_stands": self.as_it_stands}


class InterfaceGap(Exception):
    """We do not know how to use this code. Not the student's mistake: a person must look.

    `error` is the exception's own "Type: message" at `where`, if it was one that showed it.
    """

    def __init__(
        self,
        message: str,
        *,
        error: str | None = None,
        where: str | None = None,
        details: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.error = error
        self.where = where
        self.details = details

    def to_json(self) -> Json:
        return {
            "message": self.message[: 2 * MESSAGE],
            "error": _short(self.error),
            "where": _short(self.where),
            "details": self.details[-DETAILS:],
        }


def _short(text: str | None) -> str | None:
    return None if text is None else text[:PLACE]


def described(error: BaseException, folder: Path) -> StudentFault | InterfaceGap:
    """What an exception that came out of the student's code means for them."""
    if isinstance(error, InterfaceGap):
        return error
    message, where = _message(error), _where(error, folder)
    details = "".join(traceback.format_exception(error))
    gap = _gap(error, message, folder)
    if answers := asked.given():
        gap = f"{'; '.join(answers)}; then it fails: {message}"
    if gap is not None:
        return InterfaceGap(gap, error=message, where=where, details=details)
    from grader.vgpu import explain  # brings torch, and the judge, without it, imports this module

    return StudentFault(message, where=where, details=details, fact=explain.fact(error))


def _message(error: BaseException) -> str:
    try:
        text = str(error).strip()
    except Exception:  # a __str__ of the student's own
        text = ""
    name = type(error).__name__
    return f"{name}: {text.splitlines()[0]}" if text else name


def _where(error: BaseException, folder: Path) -> str | None:
    """The last line inside `folder` that was at work."""
    if isinstance(error, SyntaxError) and error.filename and inside(error.filename, folder):
        return place(error.filename, error.lineno, folder)
    frames = traceback.extract_tb(error.__traceback__)
    lines = [(f.filename, f.lineno) for f in frames if inside(f.filename, folder)]
    return place(*lines[-1], folder) if lines else None


# ------------------------------------------------------------------ what is not their fault


def _gap(error: BaseException, message: str, folder: Path) -> str | None:
    """Why the failure may be due to how the code is run here; None where it is theirs."""
    frames = traceback.extract_tb(error.__traceback__)
    if isinstance(error, ImportError) and not _hand_in_has(folder, error.name):
        return f"the code needs {error.name or 'a package'!r}, which is not here ({message})"
    if isinstance(error, FileNotFoundError):
        return f"the code needs a file that is not here ({message})"
    if isinstance(error, EOFError) or _asks_for_arguments(error, frames):
        return f"the code asks for input or arguments, and gets none here ({message})"
    if _is_limit_of_virtual_gpus(error, message, frames):
        return f"virtual GPUs could not run this ({message})"
    return None


def _hand_in_has(folder: Path, module: str | None) -> bool:
    top = (module or "").split(".")[0]
    return bool(top) and any(
        path.name == f"{top}.py" or (path.name == top and path.is_dir())
        for path in folder.rglob(f"{top}*")
    )


def _asks_for_arguments(error: BaseException, frames: traceback.StackSummary) -> bool:
    if any(Path(frame.filename).name in _ASKING for frame in frames):
        return True
    return isinstance(error, IndexError) and bool(frames) and "sys.argv" in (frames[-1].line or "")


def _is_limit_of_virtual_gpus(
    error: BaseException, message: str, frames: traceback.StackSummary
) -> bool:
    """Errors that a real GPU would not raise: missing ops, the compiler, slips in our code."""
    last = frames[-1].filename if frames else ""
    if any(part in last for part in _COMPILER) or type(error).__module__.startswith(
        "torch._dynamo"
    ):
        return True
    if isinstance(error, RuntimeError) and message.startswith("RuntimeError: dry mode"):
        return True
    if isinstance(error, NotImplementedError):
        return "virtual GPUs" in message or "backend" in message
    slips = (AttributeError, IndexError, KeyError, NameError)
    return isinstance(error, slips) and inside(last, _VGPU)
