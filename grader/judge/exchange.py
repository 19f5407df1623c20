"""One question to a worker, and what its answer means: an observation, a fault, a gap."""

from __future__ import annotations

from collections.abc import Sequence

from grader.checking.expect import NeedsPerson
from grader.checking.explain import hint_for
from grader.checking.observations import ProbeFailed
from grader.errors import InternalError
from grader.judge.answers import plain, plain_lines
from grader.records import Json
from grader.sandbox.host import Worker, WorkerLost

_DOING = {
    "build": "building the model failed",
    "forward": "the forward pass failed",
    "outline": "the forward pass failed",
    "train": "training failed",
    "script": "running the script failed",
}


class Lost(ProbeFailed):
    """The worker ended, hung, or wrote what is no answer. `reason` is `WorkerLost`'s."""

    def __init__(self, probe: str, reason: str, message: str, operator: str) -> None:
        super().__init__(
            f"{_DOING[probe]}: {message}",
            hint=hint_for(reason),
            hung=reason == "timeout",
            operator=plain_lines(operator),
        )
        self.reason = reason


class Fault(ProbeFailed):
    """An exception of the student's code.

    `where` is its place in their code, if it has one there. `certain` says that it comes from the
    file as it stands, however else it may be read.
    """

    def __init__(self, probe: str, header: Json) -> None:
        message, where = plain(header.get("message", "")), plain(header.get("where") or "")
        super().__init__(
            f"{_DOING[probe]}: {message}" + (f" ({where})" if where else ""),
            hint=hint_for(message),
            blocked=header["status"] == "import-fault",
            operator=plain_lines(header.get("details", "")),
        )
        self.says, self.where = message, where
        self.certain = header.get("as_it_stands") is True

    def is_same(self, other: Fault) -> bool:
        """Whether it is the other's mistake, too: by its place, by its words where one has none.

        `loss.backward()` fails in a line of ours in a probe, and of theirs in their own training.
        """
        if self.where and other.where:
            return self.where == other.where
        return self.says == other.says


class Gap(NeedsPerson):
    """We do not know how to use the code."""

    def __init__(self, header: Json) -> None:
        super().__init__(
            plain(header.get("message", ""), 1000),
            operator=plain_lines(header.get("details", "")),
        )


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
