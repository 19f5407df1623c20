"""The reference solution again and again, with and without load on every processor.

    python benchmarks/under_load.py [--runs 200] [--jobs 2]

Grades a class of copies of the reference twice: alone, and while each processor is kept busy by
a process of its own. Compares all of `score.json` but times, ids, and what follows from random
draws (width, losses, bytes). Exit code 1 where two scores differ or one is not full.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

REFERENCE = Path(__file__).parents[1] / "reference" / "hw3"

#: What differs between any two runs or hand-ins.
_DRAWN = {"dim", "losses", "memory_bytes"}
_OF_THE_RUN = {"submission", "student", "seed", "graded_at", "made_from"}
_BUSY = "import os, sys; os.sched_setaffinity(0, {int(sys.argv[1])})\nwhile True: pass"


@contextmanager
def load() -> Iterator[None]:
    """A process on each processor that computes without end."""
    busy = [
        subprocess.Popen([sys.executable, "-c", _BUSY, str(processor)])
        for processor in sorted(os.sched_getaffinity(0))
    ]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


def grade(students: Path, out: Path, jobs: int) -> float:
    """Seconds that `grade` takes."""
    command = [sys.executable, "-m", "grader.cli", str(students), "--out", str(out)]
    began = time.perf_counter()
    done = subprocess.run(
        [*command, "--jobs", str(jobs)],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        print(f"exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return time.perf_counter() - began


def comparable(score: dict[str, Any]) -> str:
    """A score without what differs by its nature, as text; drawn numbers in sentences left out."""
    kept = {name: value for name, value in score.items() if name not in _OF_THE_RUN}
    kept["observations"] = [
        {name: value for name, value in seen.items() if name not in _DRAWN}
        for seen in score["observations"]
    ]
    for criterion in kept["criteria"]:
        criterion["evidence"] = re.sub(r"loss(es)? [-0-9.e+, ]+", "losses ", criterion["evidence"])
    return json.dumps(kept, sort_keys=True)


def compare(out: Path) -> Counter[str]:
    """How often each score, the most frequent first."""
    return Counter(comparable(json.loads(p.read_bytes())) for p in out.glob("*/score.json"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        students = Path(scratch) / "class"
        for number in range(options.runs):
            shutil.copytree(REFERENCE, students / f"copy-{number:04}")
        alone = grade(students, Path(scratch) / "alone", options.jobs)
        with load():
            loaded = grade(students, Path(scratch) / "loaded", options.jobs)
        scores = {name: compare(Path(scratch) / name) for name in ("alone", "loaded")}
    print("| | wall s | wall s a run | scores | different ones |")
    print("|---|---|---|---|---|")
    for name, wall in (("alone", alone), ("loaded", loaded)):
        count, each = scores[name].total(), wall / options.runs
        print(f"| {name} | {wall:.1f} | {each:.2f} | {count} | {len(scores[name])} |")
    together = scores["alone"] + scores["loaded"]
    for text, count in together.most_common()[1:]:
        points = {c["id"]: c["earned"] for c in json.loads(text)["criteria"]}
        print(f"{count} differ from the most frequent score: {points}")
    code = [c for c in json.loads(next(iter(together)))["criteria"] if c["kind"] == "code"]
    full = all(c["earned"] == c["points"] for c in code)
    print("all equal" if len(together) == 1 else "NOT EQUAL", "and full" if full else "NOT FULL")
    sys.exit(0 if len(together) == 1 and full and together.total() == 2 * options.runs else 1)


if __name__ == "__main__":
    main()
