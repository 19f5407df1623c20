"""`python tests/assert_full_code_points.py RESULTS`: red unless every code criterion is full."""

import json
import sys
from pathlib import Path


def main(results: Path) -> int:
    scores = [json.loads(path.read_text("utf-8")) for path in results.glob("*/score.json")]
    short = [
        f"{score['submission']}: {c['id']} earned {c['earned']} of {c['points']}: {c['evidence']}"
        for score in scores
        for c in score["criteria"]
        if c["kind"] == "code" and c["earned"] != c["points"]
    ]
    for line in short:
        print(line)
    print(f"{len(scores)} reference solutions, {len(short)} code criteria without full points")
    return 1 if short or not scores else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
