"""A hand-in as checks see it: the fixture `submission`, which remembers what was asked already."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any, Protocol, TypeVar

from grader.checking.answer import Answer
from grader.checking.expect import NeedsPerson
from grader.checking.observations import (
    Built,
    Forward,
    ProbeFailed,
    Prober,
    ScriptRun,
    Training,
)
from grader.checking.wanted import ProgramWanted, RanksWanted
from grader.mistakes import fix_for
from grader.program import Program
from grader.ranks import Ranks
from grader.records import Json

T = TypeVar("T")
_Probe = tuple[Any, ...]  # its name, and what it is asked with

_NONE: Mapping[Any, Any] = MappingProxyType({})


class _Tells(Protocol):
    def to_json(self) -> Json: ...


Told = TypeVar("Told", bound=_Tells)


@dataclass
class SubmissionHandle:
    """A hand-in as checks see it. Each probe runs once, however many checks ask for it.

    What a probe "Costs" is CPU seconds of a first call on the reference solutions, with the process
    that is started for it (`benchmarks/observations.py`).

    `read` finds answers in its report. `before` is what the first try saw, where this is the
    second: once a probe has hung here too, the others that hung there are not waited for again.
    """

    prober: Prober
    read: Callable[[str], Answer] | None = None
    observations: list[Json] = field(default_factory=list)
    before: SubmissionHandle | None = None
    _known: dict[_Probe, object] = field(default_factory=dict)
    _answers: dict[str, Answer] = field(default_factory=dict)

    def forward(self, *, depth: int, gpus: int) -> Forward:
        """Build a model and run one forward pass, with random weights; the output is recomputed.

        Costs about 0.1 s.
        """
        return self._at("forward", depth, gpus, self.prober.forward)

    def asked(self, probe: str) -> list[tuple[int, int]]:
        """Depth and GPU count of each such probe that was asked for, whether it failed or not."""
        return [(key[1], key[2]) for key in self._known if key[0] == probe]

    def build(self, *, depth: int, gpus: int) -> Built:
        """Import the file with the model class, and build a model of `depth` layers on `gpus` GPUs.

        Where the import fails the criterion is `blocked`, not `failed`; so it is with `forward` and
        `train`, which begin in the same way. Costs about 0.06 s.
        """
        return self._at("build", depth, gpus, self.prober.build)

    def forwards(self) -> list[Forward]:
        """The forward passes that were seen, in the order in which they were asked for."""
        return [seen for seen in self._known.values() if isinstance(seen, Forward)]

    def answer(self, criterion: str) -> Answer:
        """What the report says for a `criterion`, found by the rubric's headings and questions.

        For checks in test_report.py. A person must look where it is not found. Costs about 0.1 s
        for the first answer; the report is read once.
        """
        if self.read is None:
            raise NeedsPerson("a person reads the report")
        if criterion not in self._answers:
            self._answers[criterion] = self.read(criterion)
        return self._answers[criterion]

    def of_script(self) -> list[Json]:
        """What was observed of whole scripts."""
        return [seen for seen in self.observations if seen["probe"] == "script"]

    def train(self, *, depth: int, gpus: int) -> Training:
        """Build a model and train it for a few steps; losses and gradients are recomputed.

        Costs about 0.1 s.
        """
        return self._at("train", depth, gpus, self.prober.train)

    def run_script(self, *, depth: int, gpus: int) -> ScriptRun:
        """Run the script that uses the model class, without data, with models of `depth` layers.

        Never fails; what went wrong is in what it returns. Costs about 0.15 s.
        """
        return self._at("script", depth, gpus, self.prober.run_script)

    def program(
        self,
        script: str,
        *,
        gpus: int,
        arguments: Sequence[str] = (),
        sizes: Mapping[str, int] = _NONE,
        values: Mapping[int, int] = _NONE,
        timeline: bool = False,
        dry: bool = False,
        steps: int | None = None,
        finished: bool = True,
    ) -> Program:
        """Run a [[script]] of the rubric whole on `gpus` GPUs, with data unless `dry`.

        `arguments` are those of its command line. `sizes` are constants of it, by the rubric's
        `words` for them; `values` are whole numbers that stand in it, wherever they do, and what
        they are to be. With `timeline` it is known how long all would take on real GPUs; after so
        many `steps` of optimizers it is ended. Without data a program of any size is soon done.
        The check fails where the program ends in a mistake, unless that is wanted
        (`finished=False`). Costs about 0.2 s.
        """
        wanted = ProgramWanted(
            script, gpus, tuple(arguments), dict(sizes), dict(values), timeline, dry, steps
        )
        changes = {**sizes, **{str(old): new for old, new in values.items()}}
        seen = self._once(
            ("program", json.dumps(asdict(wanted))),
            {"script": script, "gpus": gpus, "changes": changes, "arguments": [*arguments]},
            lambda: self.prober.program(wanted),
            Program.brief,
        )
        if finished and seen.problem is not None:
            raise ProbeFailed(
                f"on {counted(gpus)}, {seen.file} fails: {seen.problem}",
                hint=fix_for(seen.problem),
            )
        return seen

    def torchrun(
        self,
        script: str,
        *,
        processes: int,
        gpus: int,
        arguments: Sequence[str] = (),
        sizes: Mapping[str, int] = _NONE,
        rewrites: Mapping[str, str] = _NONE,
        same: bool = False,
        finished: bool = True,
    ) -> Ranks:
        """Run a [[script]] of the rubric in `processes` ranks, as torchrun does, on `gpus` GPUs.

        Of `rewrites`, each expression that stands in it becomes another, and `_` is any one:
        {"_ + 2": "_"}. With `same`, all ranks draw the same random numbers. The check fails where a
        rank fails or hangs, with the rank, the call and the line, unless that is wanted
        (`finished=False`). Costs about 0.15 s with 2 ranks, 0.25 s with 4; a rank that hangs, 6 s
        of waiting.
        """
        wanted = RanksWanted(
            script, processes, gpus, tuple(arguments), dict(sizes), dict(rewrites), same
        )
        changes = {"changes": {**sizes, **rewrites}, "same": same}
        seen = self._once(
            ("torchrun", json.dumps(asdict(wanted))),
            {"script": script, "processes": processes, "gpus": gpus} | changes,
            lambda: self.prober.torchrun(wanted),
            Ranks.brief,
        )
        why = seen.diagnosis()
        if finished and why is not None:
            how = f"{processes} process{'' if processes == 1 else 'es'} on {counted(gpus)}"
            raise ProbeFailed(f"in {how}, {seen.file}: {why}", hint=seen.advice() or fix_for(why))
        return seen

    def _at(self, probe: str, depth: int, gpus: int, ask: Callable[[int, int], Told]) -> Told:
        """A probe of the model class at one depth, on so many GPUs."""
        head: Json = {"depth": depth, "gpus": gpus}
        return self._once(
            (probe, depth, gpus), head, lambda: ask(depth, gpus), lambda seen: seen.to_json()
        )

    def _once(self, key: _Probe, head: Json, ask: Callable[[], T], told: Callable[[T], Json]) -> T:
        if key not in self._known:
            head = {"probe": key[0]} | head
            try:
                recalled = self._recall_hang(key)
                found = ask() if recalled is None else recalled
                self.observations.append(head | told(found))  # type: ignore[arg-type]
                seen: object = found
            except ProbeFailed as error:
                seen = error
                self.observations.append(head | {"error": str(error)})
            except Exception as error:  # remembered as it is, and raised again below
                seen = error
            self._known[key] = seen
        known = self._known[key]
        if isinstance(known, Exception):
            raise known
        return known  # type: ignore[return-value]

    def _recall_hang(self, key: _Probe) -> object:
        """What hung in the first try, where something has hung in this one, too."""
        earlier = self.before._known.get(key) if self.before else None
        if not _hung(earlier) or not any(map(_hung, self._known.values())):
            return None
        if isinstance(earlier, ProbeFailed):
            raise earlier
        return earlier


def counted(gpus: int) -> str:
    return f"{gpus} GPU{'' if gpus == 1 else 's'}"


def _hung(seen: object) -> bool:
    return isinstance(seen, ProbeFailed | Ranks) and seen.hung
