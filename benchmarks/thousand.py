"""Grades a class of generated hand-ins, 5 % of them hostile, and checks every score.

    python benchmarks/thousand.py [--size 1000] [--jobs 2] [--seed 1] [--again] [--kills 20]

Prints wall time, CPU seconds, the memory of the grader's own processes, and each score that
is not the one that follows from how the hand-in was made. `--again`: a second run over
unchanged hand-ins. `--kills`: a third run into another folder, killed with -9 at that many random
moments and started again each time; its gradebook is compared byte for byte with the first one.
Exit code 1 where a score is wrong, a gradebook differs or a process is left over.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from generated_class import CRITERIA, HandIn, make_class
from own_memory import own_memory

REPORT = Path(__file__).parents[1] / "reference" / "hw3" / "report.pdf"
_PR_SET_CHILD_SUBREAPER = 36
_LOOK = 0.5  # seconds between two samples of memory


@dataclass
class Run:
    """One run of `grade`: seconds, exit code, and (results finished, bytes of memory) over time."""

    wall: float = 0.0
    cpu: float = 0.0
    code: int = 0
    printed: str = ""
    samples: list[tuple[int, int]] = field(default_factory=list)

    def peak(self, first: int, last: int) -> float:
        """Most memory while between `first` and `last` results were finished, in MiB."""
        seen = [memory for done, memory in self.samples if first <= done <= last]
        return max(seen, default=0) / 2**20


def start(students: Path, out: Path, jobs: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "grader.cli", str(students), "--out", str(out)]
    command += ["--jobs", str(jobs), "--seed", "benchmark"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    printed = out.with_suffix(".printed").open("w")
    with printed:
        return subprocess.Popen(
            command, stdout=printed, stderr=subprocess.STDOUT, env=environment, text=True
        )


def run(students: Path, out: Path, jobs: int) -> Run:
    """One run of `grade` to its end, its memory sampled."""
    seen, before, began = Run(), _cpu(), time.perf_counter()
    process = start(students, out, jobs)
    while process.poll() is None:
        finished = sum(1 for _ in out.glob("*/score.json"))
        seen.samples.append((finished, own_memory(process.pid)))
        try:
            process.wait(_LOOK)
        except subprocess.TimeoutExpired:
            continue
    seen.wall, seen.code = time.perf_counter() - began, process.returncode
    _reap()
    seen.cpu = _cpu() - before
    seen.printed = out.with_suffix(".printed").read_text()
    return seen


def run_killed(
    students: Path, out: Path, jobs: int, kills: int, wall: float, draw: random.Random
) -> int:
    """Kill the grader `kills` times within `wall` seconds, then let it end; how often it was."""
    moments = sorted(draw.uniform(0, wall) for _ in range(kills))
    killed = 0
    for pause in (b - a for a, b in zip([0.0, *moments], moments, strict=False)):
        process = start(students, out, jobs)
        try:
            process.wait(pause)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            killed += 1
        else:
            break
    start(students, out, jobs).wait()
    return killed


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _reap() -> int:
    """Collect what lost its parent, for some seconds; how many processes are alive after that."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                time.sleep(0.05)
        except ChildProcessError:
            return 0
    return len(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())


# -------------------------------------------------------------- right and wrong


def wrong_scores(hand_ins: Sequence[HandIn], out: Path) -> list[str]:
    """One line for each criterion that earned something else than expected.

    A hostile hand-in earns nothing; that a person has to look at it is as good.
    """
    lines = []
    for hand_in in hand_ins:
        file = out / hand_in.id / "score.json"
        if not file.exists():
            lines.append(f"{hand_in.id} ({hand_in.kind}): not graded")
            continue
        given = {c["id"]: c for c in json.loads(file.read_bytes())["criteria"]}
        for id_, expected in zip(CRITERIA, hand_in.expected, strict=True):
            seen = given[id_]
            if seen["earned"] != expected and not (hand_in.hostile and seen["earned"] is None):
                lines.append(
                    f"{hand_in.id} ({hand_in.kind}): {id_} expected {expected:g}, "
                    f"got {seen['earned']}: {seen['evidence'][:200]}"
                )
    return lines


def show(size: int, jobs: int, seen: Run) -> None:
    early, late = seen.peak(0, min(100, size)), seen.peak(0, size)
    print(f"\nexit code {seen.code}; last line: {(seen.printed.splitlines() or [''])[-1]}")
    print(f"wall {seen.wall:.1f} s, {seen.wall / size:.2f} s a hand-in with {jobs} jobs")
    print(f"CPU {seen.cpu:.1f} s, {seen.cpu / size:.2f} s a hand-in")
    print(
        f"peak memory of the grader: {early:.0f} MiB after 100 results, {late:.0f} MiB after "
        f"{size}: {late / early - 1:+.1%}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--kills", type=int, default=0)
    options = parser.parse_args()
    # What a killed grader leaves behind becomes ours, so that it can be counted.
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    with tempfile.TemporaryDirectory() as scratch:
        sys.exit(0 if bench(Path(scratch), options) else 1)


def bench(scratch: Path, options: argparse.Namespace) -> bool:
    """Do all that is asked for; whether nothing was wrong."""
    students, out, jobs = scratch / "class", scratch / "results", options.jobs
    hand_ins = make_class(students, options.size, options.seed, REPORT)
    kinds = Counter("hostile" if h.hostile else h.kind for h in hand_ins)
    print("hand-ins:", ", ".join(f"{count} {kind}" for kind, count in kinds.most_common()))
    first = run(students, out, jobs)
    show(options.size, jobs, first)
    wrong = wrong_scores(hand_ins, out)
    print(f"{len(wrong)} wrong scores", *wrong, sep="\n  ")
    good = not wrong
    if options.again:
        second = run(students, out, jobs)
        print(f"unchanged second run: {second.wall:.2f} s wall, {second.cpu:.2f} s CPU")
        print(f"  {(second.printed.splitlines() or [''])[-1]}")
    if options.kills:
        good &= kill_and_compare(scratch, first.wall, options)
    return good


def kill_and_compare(scratch: Path, wall: float, options: argparse.Namespace) -> bool:
    students, out, killed_out = scratch / "class", scratch / "results", scratch / "killed"
    draw = random.Random(options.seed)
    times = run_killed(students, killed_out, options.jobs, options.kills, wall, draw)
    left = _reap()
    same = (out / "gradebook.csv").read_bytes() == (killed_out / "gradebook.csv").read_bytes()
    equality = "the same, byte for byte" if same else "DIFFERENT"
    print(f"killed {times} times: gradebook {equality}; {left} processes left over")
    return same and not left


if __name__ == "__main__":
    main()
