"""How long a class takes: `python benchmarks/whole_class.py [SUBMISSIONS] [--jobs 2]`.

Grades the folder as `grade` does, in a process of its own, and prints wall time and CPU seconds
(of all processes together; not of those killed at a time-out) per hand-in. Nothing is asserted;
machines differ.
"""

import argparse
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("submissions", nargs="?", type=Path, default=Path("submissions"))
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-m", "grader.cli", str(options.submissions)]
        command += ["--out", out, "--jobs", str(options.jobs)]
        began = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        wall = time.perf_counter() - began
        count = len(list(Path(out).glob("*/score.json")))
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = used.ru_utime + used.ru_stime
    print(f"{platform.platform()}, Python {platform.python_version()}, {options.jobs} jobs")
    print(f"{count} hand-ins, exit code {done.returncode}")
    print(f"wall {wall:.1f} s, {wall / count:.2f} s a hand-in")
    print(f"CPU  {cpu:.1f} s, {cpu / count:.2f} s a hand-in (start of the grader included)")


if __name__ == "__main__":
    main()
