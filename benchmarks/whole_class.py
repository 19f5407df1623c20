"""How long a class takes.

    python benchmarks/whole_class.py [SUBMISSIONS] [--jobs 2]
    python benchmarks/whole_class.py reference/hw3 --copies 100

Grades the folder as `grade` does, in a process of its own, and prints wall time and CPU seconds
(of all processes together, those that are ended too) per hand-in. `--copies`: a class of so many
copies of one hand-in. Nothing is asserted; machines differ.
"""

import argparse
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def copied(hand_in: Path, copies: int, scratch: Path) -> Path:
    """A class of copies; each has a line of its own, so that no two are the same."""
    for number in range(copies):
        student = scratch / "class" / f"copy-{number:04}"
        shutil.copytree(hand_in, student)
        with next(student.glob("*.py")).open("a") as file:
            file.write(f"# copy {number}\n")
    return scratch / "class"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("submissions", nargs="?", type=Path, default=Path("submissions"))
    parser.add_argument("--copies", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        scratch, students = Path(folder), options.submissions
        if options.copies:
            students = copied(students, options.copies, scratch)
        command = [sys.executable, "-m", "grader.cli", str(students)]
        command += ["--out", str(scratch / "out"), "--jobs", str(options.jobs)]
        began = time.perf_counter()
        done = subprocess.run(
            command,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        wall = time.perf_counter() - began
        count = len(list(scratch.glob("out/*/score.json")))
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = used.ru_utime + used.ru_stime
    print(f"{platform.platform()}, Python {platform.python_version()}, {options.jobs} jobs")
    print(f"{count} hand-ins, exit code {done.returncode}")
    print(f"wall {wall:.1f} s, {wall / count:.2f} s a hand-in")
    print(f"CPU  {cpu:.1f} s, {cpu / count:.2f} s a hand-in (start of the grader included)")


if __name__ == "__main__":
    main()
