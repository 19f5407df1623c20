"""How long it takes to compare all hand-ins of a class with each other.

    python benchmarks/similarity.py [SIZE ...]

Code is that of the generated class, and so much of it is alike; every second hand-in has two
scripts. Reports have the reference's words in another order, and times
drawn at random. Prints seconds, memory and the pairs listed. Nothing is asserted; machines differ.
"""

import random
import resource
import sys
import tempfile
import time
from pathlib import Path

from generated_class import make_class

from grader.similarity import Given, HandedIn, compare

ROOT = Path(__file__).parents[1]
WORDS = (ROOT / "reference" / "hw3" / "report.md").read_text("utf-8").split()


def report(draw: random.Random) -> str:
    rows = [f"| {depth} | {draw.uniform(1, 99):.3f} ms |" for depth in (6, 12, 24, 48)]
    return "\n".join(["| DEPTH | step time |", *rows, "", " ".join(draw.sample(WORDS, len(WORDS)))])


def main() -> None:
    template = (ROOT / "student_template" / "hw3" / "hw3.py").read_text("utf-8")
    for size in map(int, sys.argv[1:] or ["100", "300", "1000"]):
        draw = random.Random(size)
        with tempfile.TemporaryDirectory() as folder:
            made = make_class(Path(folder), 2 * size, 1, ROOT / "reference" / "hw3" / "report.pdf")
        codes = [hand_in.code for hand_in in made]
        hand_ins = [
            HandedIn(f"s{n:04}", {"a.py": codes[n], "b.py": codes[-n] * (n % 2)}, (report(draw),))
            for n in range(size)
        ]
        began, used = time.perf_counter(), time.process_time()
        found = compare(hand_ins, Given((template,)))
        wall, cpu = time.perf_counter() - began, time.process_time() - used
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
        print(f"{size} hand-ins: {wall:.1f} s, CPU {cpu:.1f} s, {memory} MiB, {found.pairs} pairs")


if __name__ == "__main__":
    main()
