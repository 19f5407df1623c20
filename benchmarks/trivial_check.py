"""CPU seconds a submission for one trivial check: `grade` and four others.

    python -m venv others && others/bin/pip install -r benchmarks/trivial/requirements.txt
    python benchmarks/trivial_check.py --others others [--class-size 100] [--rounds 5]

The same file (`trivial/submission/stack.py`) and the same question for all: build a model of two
layers, run it, compare its output. In each round `grade` judges a class, from a cold start, and
each of the others one submission, which is how they are run. Counted are all processes of a
command together, those it killed too. The first round warms the disk and is not counted.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
TRIVIAL = HERE / "trivial"
SUBMISSION = TRIVIAL / "submission" / "stack.py"


@dataclass
class Contestant:
    """`check` grades `size` submissions in a fresh folder, and raises where one did not pass."""

    name: str
    size: int
    check: Callable[[Path], None]
    cpu: list[float] = field(default_factory=list)  # seconds a submission, by round
    wall: list[float] = field(default_factory=list)

    def run(self, *, counted: bool) -> None:
        with tempfile.TemporaryDirectory() as folder:
            before, began = _children(), time.perf_counter()
            self.check(Path(folder))
            wall, cpu = time.perf_counter() - began, _children() - before
        if counted:
            self.cpu.append(cpu / self.size)
            self.wall.append(wall / self.size)


def _children() -> float:
    """CPU seconds of all processes that were started from here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _do(command: list[str], folder: Path, **more: str) -> None:
    """Run a command to its end; its output is shown where it failed."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"} | more
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout}{done.stderr}")


# -------------------------------------------------------------- grade


def make_class(folder: Path, size: int) -> None:
    for number in range(size):
        student = folder / f"student-{number:04}"
        student.mkdir(parents=True)
        text = f"{SUBMISSION.read_text('utf-8')}# by student {number}\n"
        (student / SUBMISSION.name).write_text(text, "utf-8")


def grade(students: Path, jobs: int) -> Callable[[Path], None]:
    """`grade` itself, on the whole class."""

    def check(folder: Path) -> None:
        command = [sys.executable, "-m", "grader.cli", str(students), "--assignment", "trivial"]
        command += ["--assignments", str(TRIVIAL), "--out", str(folder / "results")]
        _do([*command, "--jobs", str(jobs)], folder, PYTHONPATH=str(HERE.parent))
        scores = [json.loads(p.read_bytes()) for p in (folder / "results").glob("*/score.json")]
        passed = sum(score["total"] == score["possible"] for score in scores)
        if passed != len(list(students.iterdir())):
            sys.exit(f"grade: {passed} of {len(scores)} submissions passed, expected all")

    return check


# -------------------------------------------------------------- the others


def pytest(bin_: Path) -> Callable[[Path], None]:
    def check(folder: Path) -> None:
        _hand_in(folder, TRIVIAL / "pytest" / "test_stack.py")
        _do([str(bin_ / "python"), "-m", "pytest", "-q", "test_stack.py"], folder)

    return check


def gradescope(bin_: Path) -> Callable[[Path], None]:
    def check(folder: Path) -> None:
        _hand_in(folder, TRIVIAL / "gradescope" / "run_tests.py")
        _do([str(bin_ / "python"), "run_tests.py"], folder)
        _expect(json.loads((folder / "results.json").read_text())["score"] == 1, "gradescope")

    return check


def check50(bin_: Path) -> Callable[[Path], None]:
    def check(folder: Path) -> None:
        _hand_in(folder)
        checks = str(TRIVIAL / "check50")
        command = [str(bin_ / "check50"), "--dev", "-o", "json", "--output-file", "out.json"]
        _do([*command, checks], folder)
        results = json.loads((folder / "out.json").read_text())["results"]
        _expect([r["passed"] for r in results] == [True], "check50")

    return check


def otter(bin_: Path, archive: Path) -> Callable[[Path], None]:
    path = f"{bin_}{os.pathsep}{os.environ['PATH']}"  # it starts a Jupyter kernel by name

    def check(folder: Path) -> None:
        _hand_in(folder)
        command = [str(bin_ / "otter"), "run", "-a", str(archive), "-o", ".", "--no-logo"]
        _do([*command, SUBMISSION.name], folder, PATH=path)
        tests = json.loads((folder / "results.json").read_text())["tests"]
        _expect([t["score"] for t in tests if "score" in t] == [1], "otter")

    return check


def make_archive(bin_: Path, folder: Path) -> Path:
    """What `otter run` needs; made once, not counted."""
    archive = folder / "autograder.zip"
    tests = str(TRIVIAL / "otter" / "tests")
    command = [str(bin_ / "otter"), "generate", "-t", tests, "-o", str(archive)]
    _do([*command, "--no-environment"], folder)
    return archive


def _hand_in(folder: Path, *more: Path) -> None:
    for file in (SUBMISSION, *more):
        shutil.copy(file, folder)


def _expect(passed: bool, name: str) -> None:
    if not passed:
        sys.exit(f"{name}: the submission did not pass, expected it to")


# -------------------------------------------------------------- the table


def show(contestants: list[Contestant]) -> None:
    print("| grader | CPU s a submission, median (least to most) | wall s | times ours |")
    print("|---|---|---|---|")
    ours = statistics.median(contestants[0].cpu)
    for c in contestants:
        cpu, wall = statistics.median(c.cpu), statistics.median(c.wall)
        # Round by round, so that what the machine was doing meanwhile cancels out.
        ratio = statistics.median(a / b for a, b in zip(c.cpu, contestants[0].cpu, strict=True))
        spread = f"{min(c.cpu):.3f} to {max(c.cpu):.3f}"
        print(f"| {c.name} | {cpu:.3f} ({spread}) | {wall:.2f} | {ratio:.1f} |")
    best = min(statistics.median(c.cpu) for c in contestants[1:]) if contestants[1:] else None
    print(f"\ngrade: {ours:.3f} CPU s a submission (goal: at most 0.145)")
    if best is not None:
        print(f"the best of the others: {best / ours:.1f} times that (goal: 20)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--others", type=Path, help="virtual environment with the other graders")
    parser.add_argument("--class-size", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        make_class(folder / "class", options.class_size)
        ours = grade(folder / "class", options.jobs)
        contestants = [Contestant(f"grade, {options.class_size} at once", options.class_size, ours)]
        if options.others is not None:
            bin_ = options.others.absolute() / "bin"
            contestants += [
                Contestant("python -m pytest, cold", 1, pytest(bin_)),
                Contestant("gradescope-utils", 1, gradescope(bin_)),
                Contestant("check50", 1, check50(bin_)),
                Contestant("otter-grader", 1, otter(bin_, make_archive(bin_, folder))),
            ]
        for number in range(options.rounds + 1):
            for contestant in contestants:
                contestant.run(counted=number > 0)
    show(contestants)


if __name__ == "__main__":
    main()
