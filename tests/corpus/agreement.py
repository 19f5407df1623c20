"""How far `grade` agrees with a careful teaching assistant on hand-ins whose truth is known.

    python tests/corpus/agreement.py [--written "from the page"] [--jobs 2] [--all] [FOLDER]

Each hand-in is a folder with `files/` and `truth.toml` (see README.md). Prints, per kind of
criterion, how many were decided finally and right, finally and wrong, suggested right and wrong,
and left to a person; then facts about what the code does, and whether the text shown for each
question is the one that answers it. Exit code 1 where something is finally wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
VERDICTS = ("final, right", "final, wrong", "suggested, right", "suggested, wrong", "pending")
_SAME = 0.01  # points


@dataclass
class Agreement:
    """Counts by row ("code", "written", "facts", ...) and verdict, and a line per disagreement."""

    hand_ins: int = 0
    rows: dict[str, Counter[str]] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    def add(self, row: str, verdict: str, line: str | None = None) -> None:
        self.rows.setdefault(row, Counter())[verdict] += 1
        if line is not None:
            self.lines.append(line)

    def share(self, row: str, *verdicts: str) -> float:
        """The share of these verdicts in a row; 1.0 of an empty one."""
        counts = self.rows.get(row, Counter())
        total = counts.total()
        return sum(counts[verdict] for verdict in verdicts) / total if total else 1.0

    @property
    def finally_wrong(self) -> int:
        return sum(counts["final, wrong"] for counts in self.rows.values())


def hand_ins(folder: Path, written: str | None = None) -> list[Path]:
    """The hand-ins of a corpus: of those written in one way, where told."""
    found = sorted(path.parent for path in folder.glob("*/truth.toml"))
    return [one for one in found if written is None or truth_of(one)["written"] == written]


def truth_of(hand_in: Path) -> dict[str, Any]:
    return tomllib.loads((hand_in / "truth.toml").read_text(encoding="utf-8"))


def graded(corpus: Sequence[Path], work: Path, jobs: int = 2) -> dict[str, dict[str, Any]]:
    """The score of each hand-in, as `grade` writes it, by the name of its folder."""
    students = work / "class"
    for hand_in in corpus:
        shutil.copytree(hand_in / "files", students / hand_in.name)
    out = work / "results"
    command = [sys.executable, "-m", "grader.cli", str(students), "--out", str(out)]
    command += ["--jobs", str(jobs), "--seed", "agreement"]
    done = subprocess.run(
        command,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    missing = [one.name for one in corpus if not (out / one.name / "score.json").exists()]
    if missing:
        raise SystemExit(f"no score for {', '.join(missing)}:\n{done.stdout}\n{done.stderr}")
    return {
        one.name: json.loads((out / one.name / "score.json").read_text(encoding="utf-8"))
        for one in corpus
    }


def compare(corpus: Sequence[Path], scores: dict[str, dict[str, Any]]) -> Agreement:
    """Scores against truth."""
    found = Agreement(len(corpus))
    for hand_in in corpus:
        truth, score = truth_of(hand_in), scores[hand_in.name]
        for criterion in score["criteria"]:
            _compare_points(found, hand_in.name, truth, criterion)
            _compare_passage(found, hand_in.name, truth, criterion)
        for what, expected, seen in _facts(truth.get("facts", {}), score["observations"]):
            right = seen == expected
            line = None if right else f"{hand_in.name}: {what} is {expected}, seen {seen}"
            found.add("facts", "final, right" if right else "not seen or wrong", line)
    return found


def _compare_points(
    found: Agreement, name: str, truth: dict[str, Any], criterion: dict[str, Any]
) -> None:
    key, expected = criterion["id"], truth["points"][criterion["id"]]
    final = criterion["state"] == "final"
    seen = criterion["earned"]
    row = "code" if criterion["kind"] == "code" else "read"
    if row == "read" and truth["report"] != "readable":
        row = "read, no readable report"
    if seen is None:
        found.add(row, "pending", f"{name}: {key} pending ({expected:g}): {criterion['evidence']}")
        return
    right = abs(seen - expected) < _SAME
    verdict = f"{'final' if final else 'suggested'}, {'right' if right else 'wrong'}"
    line = f"{name}: {key} {verdict}: gave {seen:g}, truth {expected:g}: {criterion['evidence']}"
    found.add(row, verdict, None if right else line)


def _compare_passage(
    found: Agreement, name: str, truth: dict[str, Any], criterion: dict[str, Any]
) -> None:
    snippet = truth.get("passages", {}).get(criterion["id"])
    if snippet is None:
        return
    inside = _plain(snippet) in _plain(criterion["found"] or "")
    line = f"{name}: {criterion['id']} is answered by {snippet!r}, shown: {criterion['found']!r}"
    found.add("passages", "final, right" if inside else "not found", None if inside else line)


def _plain(text: str) -> str:
    return "".join(text.split()).casefold().replace("|", "")


def _facts(
    facts: dict[str, Any], observations: Sequence[dict[str, Any]]
) -> Iterator[tuple[str, object, object]]:
    """(what, expected, seen) for each fact of the truth."""
    forwards = {
        f"{o['depth']}/{o['gpus']}": o
        for o in observations
        if o["probe"] == "forward" and "error" not in o
    }
    built = {f"{o['depth']}/{o['gpus']}": o for o in observations if o["probe"] == "build"}
    for sizes, expected in facts.get("placement", {}).items():
        way = forwards.get(sizes) or built.get(sizes, {})
        yield f"placement {sizes}", expected, way.get("placement")
    for sizes, expected in facts.get("transfers", {}).items():
        seen = forwards.get(sizes, {}).get("transfers", {}).get("gpu_to_gpu")
        yield f"transfers {sizes}", expected, seen
    scripts = [o for o in observations if o["probe"] == "script" and o.get("passes")]
    if "to_calls" in facts:
        way = forwards.get("20/2") or (scripts[-1]["passes"][-1] if scripts else {})
        yield "calls of .to()", facts["to_calls"], way.get("to_calls")
    if "host_copies" in facts:
        seen = scripts[-1]["passes"][-1]["host_to_gpu"] if scripts else None
        yield "host copies", facts["host_copies"], seen
    if "trains" in facts:
        trained = [o.get("trained", False) for o in observations if o["probe"] == "train"]
        if not trained and all(script["replicated"] for script in scripts):
            trained = [script["trained"] for script in scripts]  # the class does not run by itself
        yield "trains", facts["trains"], bool(trained) and all(trained)


def show(found: Agreement) -> None:
    columns = [*VERDICTS, *sorted({v for row in found.rows.values() for v in row} - {*VERDICTS})]
    print(f"{found.hand_ins} hand-ins")
    for name, counts in found.rows.items():
        shown = "  ".join(f"{column} {counts[column]}" for column in columns if counts[column])
        print(f"  {name:25} {counts.total():4}   {shown}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", default=HERE)
    parser.add_argument("--written", help='only those "from the page" or "for a feature"')
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--all", action="store_true", help="a line for what is pending, too")
    options = parser.parse_args()
    corpus = hand_ins(options.folder, options.written)
    if not corpus:
        raise SystemExit(f"{options.folder} holds no hand-in with a truth.toml")
    with tempfile.TemporaryDirectory() as work:
        found = compare(corpus, graded(corpus, Path(work), options.jobs))
    for line in found.lines:
        if options.all or " pending (" not in line:
            print(line)
    show(found)
    raise SystemExit(1 if found.finally_wrong else 0)


if __name__ == "__main__":
    main()
