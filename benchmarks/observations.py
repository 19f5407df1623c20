"""What one observation costs, in CPU seconds, on the reference solutions.

    python benchmarks/observations.py [--calls 10]

The figures in docs/observations.md, which stand in the docstrings of `SubmissionHandle`, are from
here. Each probe is made so many times, of a fresh hand-in each time as the first check of a class
asks for it, and once: the difference is what the calls cost, in all processes together.
"""

import argparse
import os
import resource
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

from grader.assignment import Assignment, find
from grader.checking.submission import SubmissionHandle
from grader.judge.prober import WorkerProber
from grader.rubric import load_rubric
from grader.sandbox import reader
from grader.sandbox.host import Launcher
from grader.sandbox.launching import sandboxes

HW3, PRACTICAL4 = find("hw3"), find("practical4")
RING = Assignment("ring", Path(__file__).parents[1] / "tests" / "assignments")

Probe = Callable[[SubmissionHandle], object]
PROBES: list[tuple[str, Assignment, Probe]] = [
    ("build", HW3, lambda s: s.build(depth=20, gpus=5)),
    ("forward", HW3, lambda s: s.forward(depth=20, gpus=5)),
    ("train", HW3, lambda s: s.train(depth=20, gpus=5)),
    ("run_script", HW3, lambda s: s.run_script(depth=20, gpus=5)),
    ("program", PRACTICAL4, lambda s: s.program("split", gpus=2)),
    ("program, timeline", PRACTICAL4, lambda s: s.program("split", gpus=2, timeline=True)),
    ("torchrun, 2", RING, lambda s: s.torchrun("ring", processes=2, gpus=2)),
    ("torchrun, 4", RING, lambda s: s.torchrun("ring", processes=4, gpus=4)),
]


def made(assignment: Assignment, probe: Probe, calls: int) -> float:
    """CPU seconds of a start, and of so many calls."""
    before = spent()
    rubric, folder = load_rubric(assignment), assignment.reference.resolve()
    with sandboxes() as found:
        for _ in range(calls):
            with prober(found.launcher, folder, rubric) as one:
                probe(SubmissionHandle(one))
    return spent() - before


def prober(launcher: Launcher, folder: Path, rubric) -> WorkerProber:
    files = [file.relative_to(folder) for file in folder.rglob("*.py")]
    return WorkerProber(launcher, folder, files, rubric.model, rubric.limits, rubric.script)


def read(calls: int) -> float:
    """The same for the report, which is read once for all answers."""
    before = spent()
    with sandboxes() as found:
        for _ in range(calls):
            reader.read_report(found.launcher, HW3.reference.resolve(), Path("report.pdf"))
    return spent() - before


def spent() -> float:
    both = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(used.ru_utime + used.ru_stime for used in both)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=10)
    calls = parser.parse_args().calls
    for name, assignment, probe in PROBES:
        seconds = made(assignment, probe, calls + 1) - made(assignment, probe, 1)
        print(f"{name:20}{seconds / calls:.3f} s")
    print(f"{'report':20}{(read(calls + 1) - read(1)) / calls:.3f} s")


if __name__ == "__main__":
    main()
