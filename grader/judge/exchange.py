"""One question to a worker, and what its answer means: an observation, a fault, a gap."""

from __future__ import annotations

import re
from collections.abc import Sequence

from grader.checking.expect import NeedsPerson
from grader.checking.observations import ProbeFailed
from grader.errors import InternalError
from grader.judge.answers import plain, plain_lines
from grader.mistakes import explained
from grader.records import Json
from grader.sandbox.host import Worker, WorkerLost
from grader.sandbox.lookout import MARK

_DOING = {
    "build": "building the model failed",
    "forward": "the forward pass failed",
    "outline": "the forward pass failed",
    "train": "training failed",
    "script": "running the script failed",
    "program": "running the program failed",
    "torchrun": "running the program in several processes failed",
}

#: What to try where a worker was lost, by the reason.
HINTS = {
    "timeout": "Look for a loop that never ends, and for training outside of the main guard.",
    "died": "Leave exit() and os._exit() out. If there is none, look at how much memory it takes.",
    "garbled": "Print with print() only.",
    "flood": "Print less: a line for each training step is plenty.",
    "memory": "Look for tensors that pile up, in a list or on the graph of an old loss, and for "
    "sizes that do not come from dim.",
    "disk": "Write less: nothing that is written is looked at.",
    "processes": "Start no other processes, and no workers of a DataLoader: one is enough here.",
}
_OTHERWISE = (
    "Run it with as many GPUs (vgpu -n 3 hw3.py, say), and read the error from its last line up."
)


class Lost(ProbeFailed):
    """The worker ended, hung, or wrote what is no answer. `reason` is `WorkerLost`'s."""

    def __init__(self, probe: str, reason: str, message: str, operator: str) -> None:
        super().__init__(
            f"{_DOING[probe]}: {message}",
            hint=HINTS.get(reason),
            where=last_seen(operator),
            hung=reason == "timeout",
            operator=plain_lines(operator),
        )
        self.reason = reason


def last_seen(output: str) -> str | None:
    """The line at which the worker was when it last said so."""
    found = re.findall(rf"^{re.escape(MARK)}(.+)$", output, re.MULTILINE)
    return plain(found[-1]) if found else None


class Fault(ProbeFailed):
    """An exception of the student's code.

    `raised_at` is its place in their code, if it has one there. `certain` says that it comes from
    the file as it stands, however else it may be read.
    """

    def __init__(self, probe: str, header: Json) -> None:
        told = {key: plain(header.get(key) or "") for key in ("message", "where", "fact")}
        mistake = explained(told["message"], _code(told["where"]))
        means = told["fact"] or (mistake.means if mistake else "")
        super().__init__(
            f"{_DOING[probe]}: {told['message']}" + (f" – {means}" if means else ""),
            hint=mistake.fix if mistake else _OTHERWISE,
            where=told["where"] or None,
            blocked=header["status"] == "import-fault",
            operator=plain_lines(header.get("details", "")),
        )
        self.says, self.raised_at = told["message"], told["where"]
        self.certain = header.get("as_it_stands") is True

    def is_same(self, other: Fault) -> bool:
        """Whether it is the other's mistake, too: by its place, by its words where one has none.

        `loss.backward()` fails in a line of ours in a probe, and of theirs in their own training.
        """
        if self.raised_at and other.raised_at:
            return self.raised_at == other.raised_at
        return self.says == other.says


class Gap(NeedsPerson):
    """We do not know how to use the code."""

    def __init__(self, header: Json) -> None:
        where = plain(header.get("where") or "")
        mistake = explained(plain(header.get("error") or ""), _code(where))
        super().__init__(
            plain(header.get("message", ""), 1000),
            operator=plain_lines(header.get("details", "")),
            where=where or None,
            hint=mistake.fix if mistake else None,
        )


def _code(where: str) -> str:
    """The code in "hw3.py, line 20: code"."""
    return where.partition(": ")[2]


def exchange(
    worker: Worker, request: Json, buffers: Sequence[bytes], *, seconds: float
) -> list[bytes]:
    """Ask, and return what was seen. Raises Lost, Fault, Gap, or InternalError (ours)."""
    probe = request["probe"]
    try:
        header, answer = worker.ask(request, buffers, seconds=seconds)
    except WorkerLost as lost:
        raise Lost(probe, lost.reason, lost.message, lost.output) from lost
    status = header.get("status")
    if status == "seen":
        return answer
    if status in ("fault", "import-fault"):
        raise Fault(probe, header)
    if status == "gap":
        raise Gap(header)
    raise InternalError(
        f"the worker failed during {probe}", found=plain_lines(header.get("message", ""))
    )
