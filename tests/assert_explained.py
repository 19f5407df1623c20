"""`python tests/assert_explained.py RESULTS WRONG`: red unless all lost points are explained.

RESULTS are those of `grade check-assignment --out`, WRONG the wrong hand-ins that it graded.
"""

import json
import sys
from pathlib import Path

from lost_points import unexplained


def main(results: Path, wrong: Path) -> int:
    problems, count = [], 0
    for folder in sorted(wrong.iterdir()):
        score = json.loads((results / f"wrong-{folder.name}" / "score.json").read_text("utf-8"))
        code = [c for c in score["criteria"] if c["kind"] == "code"]
        problems += [f"{folder.name}: {line}" for line in unexplained(code, folder)]
        problems += [
            f"{folder.name}: {c['id']} is {c['state']} with {c['earned']} points"
            for c in code
            if (c["state"] == "pending") != (c["earned"] is None)
        ]
        count += 1
    print(*problems, sep="\n", end="\n" if problems else "")
    print(f"{count} wrong hand-ins, {len(problems)} lost points without all that should be said")
    return 1 if problems or not count else 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
