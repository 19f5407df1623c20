"""Writes observations.md: what checks may ask of a hand-in, from the docstrings of the code.

    python docs/make_observations.py

A test holds the page to the code.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path

from grader import crossings, iterations, program, timeline, trace
from grader.checking import answer, phrases
from grader.checking import observations as seen
from grader.checking.submission import SubmissionHandle
from grader.intake import tables
from grader.program import Program
from grader.ranks import Ranks

PAGE = Path(__file__).with_name("observations.md")

#: What one may want to see, and the method of `submission` that shows it.
PROBES: dict[str, Callable[..., object]] = {
    "import, build": SubmissionHandle.build,
    "forward": SubmissionHandle.forward,
    "train": SubmissionHandle.train,
    "run_script": SubmissionHandle.run_script,
    "program": SubmissionHandle.program,
    "run_torchrun": SubmissionHandle.torchrun,
    "report answers": SubmissionHandle.answer,
}

#: What a program of the hand-in can be asked when it has run.
OF_PROGRAMS: dict[str, tuple[str, str, str]] = {
    "data-parallel split": (
        "`submission.program(...).splits()`",
        inspect.getdoc(Program.splits) or "",
        str(inspect.signature(Program.splits).return_annotation),
    ),
    "timeline": (
        "`submission.program(..., timeline=True).timeline`",
        inspect.getdoc(timeline.Timeline) or "",
        "Timeline",
    ),
}

FUNCTIONS = {
    "copies between GPUs in a forward pass": crossings.crossings,
    "rounds of training": iterations.iterations,
}

RESULTS = (
    trace.Phase,
    *(seen.Built, seen.Forward, seen.Numbers, seen.GpuArgument, seen.Training, seen.ScriptRun),
    *(Program, program.Call, program.Data, program.Joined, program.Event, program.Kind),
    *(program.Timing, program.TimedStep, Ranks, crossings.Crossing, iterations.Iteration),
    *(trace.Trace, trace.Layer, trace.Op, trace.Transfer),
    *(trace.Edge, trace.Message, trace.Way, timeline.Timeline, timeline.Window),
    *(answer.Answer, phrases.Found, tables.Table, tables.Column, tables.Cell),
)
_NOT_ASKED = {"to_json", "from_json", "brief", "only"}
_COSTS = re.compile(r"\s*Costs ([^.]*(?:\.\d[^.]*)*)\.", re.DOTALL)


def page() -> str:
    """The whole page: the table, then what each observation can be asked."""
    text = [
        "# What a check may ask for",
        "",
        "`submission`, in every check, runs the student's code on virtual GPUs and returns what",
        "it was seen to do. A probe that is asked for twice with the same arguments runs once.",
        "The cost is CPU seconds of a first call on the reference solutions, with the process that",
        "is started for it (`python benchmarks/observations.py`).",
        "",
        "| to see | ask | what happens | returns | CPU |",
        "|---|---|---|---|---|",
        *(_probe(subject, method) for subject, method in PROBES.items()),
        *(_question(subject, *row) for subject, row in OF_PROGRAMS.items()),
        *(_function(subject, function) for subject, function in FUNCTIONS.items()),
        "",
        "Where the student's code fails in a probe, so does the check, with the mistake and its",
        "line; where the grader does not know how to use the code, a person looks. No check has to",
        "catch either.",
        "",
    ]
    for kind in RESULTS:
        own = vars(kind).get("__doc__")  # an enum without inherits one about enums
        text += [f"## {kind.__name__}", ""]
        text += [_plain(inspect.cleandoc(own)), ""] if own else []
        text += _asked(kind)
    return "\n".join(text).rstrip() + "\n"


def _probe(subject: str, method: Callable[..., object]) -> str:
    doc = inspect.getdoc(method) or ""
    cost = _COSTS.search(doc)
    assert cost is not None, f"{method.__name__} does not say what it costs"
    signature = inspect.signature(method)
    given = ", ".join(map(_argument, list(signature.parameters.values())[1:]))
    ask = f"`submission.{method.__name__}({given})`"
    returns = _linked(signature.return_annotation)
    told = _plain(_COSTS.sub("", doc))
    return f"| {subject} | {ask} | {told} | {returns} | {_plain(cost[1])} |"


def _question(subject: str, ask: str, doc: str, returns: str) -> str:
    first = _plain(doc.partition("\n\n")[0])
    return f"| {subject} | {ask} | {first} | {_linked(returns)} | that of `program` |"


def _function(subject: str, function: Callable[..., object]) -> str:
    call = f"`{function.__module__}.{function.__name__}(program)`"
    returns = str(inspect.signature(function).return_annotation)
    return _question(subject, call, inspect.getdoc(function) or "", returns)


def _argument(parameter: inspect.Parameter) -> str:
    """As one writes it: what may be left out shows its default, if that is short."""
    if parameter.default is inspect.Parameter.empty:
        required = parameter.kind is inspect.Parameter.KEYWORD_ONLY
        several = parameter.kind is inspect.Parameter.VAR_POSITIONAL
        return f"{'*' if several else ''}{parameter.name}{'=' if required else ''}"
    default = {} if hasattr(parameter.default, "items") else parameter.default
    plain = default is None or isinstance(default, bool | dict) or default == ()
    return f"{parameter.name}={default if plain else '...'}"


def _asked(kind: type) -> Iterator[str]:
    """Its fields, then a line for each question."""
    if issubclass(kind, Enum):
        yield ", ".join(f"`Kind.{member.name}`" for member in kind)
        yield ""
        return
    fields = getattr(kind, "_fields", None) or getattr(kind, "__dataclass_fields__", {})
    notes = {name: _annotation(kind, name) for name in fields if not name.startswith("_")}
    yield "Fields: " + ", ".join(f"`{name}: {note}`" for name, note in notes.items())
    yield ""
    questions = list(_questions(kind))
    if questions:
        yield "| question | answer |"
        yield "|---|---|"
        yield from questions
        yield ""


def _questions(kind: type) -> Iterator[str]:
    for name, member in vars(kind).items():
        if name.startswith("_") or name in _NOT_ASKED:
            continue
        function = member.fget if isinstance(member, property) else member
        if not inspect.isfunction(function):
            continue
        signature = inspect.signature(function)
        given = ", ".join(map(_argument, list(signature.parameters.values())[1:]))
        call = name if isinstance(member, property) else f"{name}({given})"
        doc = _plain((inspect.getdoc(member) or "").partition("\n\n")[0])
        returns = signature.return_annotation
        yield f"| `.{call}` | {f'{doc} ' if doc else ''}`{returns}` |".replace(
            " | None", " or None"
        )


def _annotation(kind: type, name: str) -> str:
    note = kind.__annotations__[name]
    return str(getattr(note, "__forward_arg__", note)).replace(" | ", " or ")


def _linked(returns: str) -> str:
    known = {kind.__name__ for kind in RESULTS}
    return f"[{returns}](#{returns.lower()})" if returns in known else f"`{returns}`"


def _plain(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
