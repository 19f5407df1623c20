"""Runs whole programs of a hand-in for checks that ask for them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from grader.checking.wanted import ProgramWanted, RanksWanted
from grader.errors import InternalError
from grader.judge.answers import FACTS_LIMIT, Unreadable
from grader.judge.choosing import choose
from grader.program import Program
from grader.ranks import Ranks
from grader.records import Json
from grader.rubric import Limits, Script
from grader.sandbox.options import WorkerOptions

STEPS = 20  # of an optimizer, after which ranks are ended: some train for hundreds of rounds

T = TypeVar("T")
Ask = Callable[[WorkerOptions, Json, float], list[bytes]]


@dataclass(frozen=True)
class Programs:
    """Programs of one hand-in. `ask` puts a request to a process of its own.

    One `seed` serves all runs, so that they can be compared, and so that the same request, for two
    scripts in one file, needs no second run.
    """

    ask: Ask
    folder: Path
    files: Sequence[Path]
    scripts: Sequence[Script]
    limits: Limits
    seed: int
    _ran: dict[str, Program] = field(default_factory=dict)

    def program(self, wanted: ProgramWanted) -> Program:
        """One process, with data unless that is not wanted."""
        request = {"probe": "program", **self._request(wanted)}
        request["values"] = {str(old): new for old, new in wanted.values.items()}
        request |= {"rewrites": {}, "same": False, "steps": wanted.steps}
        options = WorkerOptions(wanted.gpus, timeline=wanted.timeline, dry=wanted.dry)
        same = f"{options} {json.dumps(request)}"
        if same not in self._ran:
            answer = self.ask(options, request, self.limits.script)
            self._ran[same] = _read(answer, Program.from_json)
        return self._ran[same]

    def torchrun(self, wanted: RanksWanted) -> Ranks:
        """So many processes, started as torchrun does, on so many GPUs in all."""
        gpus, processes, seconds = wanted.gpus, wanted.processes, self.limits.ranks
        request = {"probe": "torchrun", **self._request(wanted)}
        request |= {"values": {}, "rewrites": dict(wanted.rewrites), "same": wanted.same}
        request |= {"processes": processes, "seconds": seconds, "steps": STEPS}
        ran = _read(self.ask(WorkerOptions(gpus), request, seconds), Ranks.from_json)
        if (ran.gpus, len(ran.processes)) != (gpus, processes):
            raise Unreadable(f"{len(ran.processes)} processes on {ran.gpus} GPUs")
        return ran

    def _request(self, wanted: ProgramWanted | RanksWanted) -> Json:
        script = wanted.script
        meant = next((one for one in self.scripts if one.id == script), None)
        if meant is None:
            there = ", ".join(one.id for one in self.scripts) or "none"
            raise InternalError(
                f"a check asks for the script {script!r}",
                expected=f"the id of a [[script]] in rubric.toml, which has {there}",
                do="add it there, or correct the check",
            )
        return {
            "file": str(choose(meant, self.folder, self.files)),
            "arguments": list(wanted.arguments),
            "sizes": dict(wanted.sizes),
            "words": meant.words,
            "seed": self.seed,
        }


def _read(buffers: Sequence[bytes], read: Callable[[Json], T]) -> T:
    if len(buffers) != 1 or len(buffers[0]) > FACTS_LIMIT:
        raise Unreadable(f"expected one buffer of at most {FACTS_LIMIT} bytes")
    try:
        return read(json.loads(buffers[0]))
    except (ValueError, RecursionError) as error:
        raise Unreadable(str(error)) from error
