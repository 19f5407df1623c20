"""Writes the last part of security.md: what each hostile program came to on each rung here.

    python docs/make_hostile_table.py

It runs them all (minutes). A test holds the page to the programs that there are, and each of them
is run by tests/hostile.
"""

from __future__ import annotations

import runpy
from pathlib import Path

from grader.doctor import Finding, program_names, try_program
from grader.doctor.trial import PROGRAMS, tries
from grader.sandbox.ended import Reason
from grader.sandbox.features import Features
from grader.sandbox.zygote_host import Zygote

ROOT = Path(__file__).parents[1]
HOSTILE = ROOT / "tests" / "hostile"
PAGE = Path(__file__).with_name("security.md")
HEADING = "## Every hostile program, on every rung"


def programs() -> list[tuple[Path, str]]:
    """Folder and name of each: those of `grade doctor`, and those of the tests."""
    folders = (PROGRAMS, HOSTILE / "programs")
    return sorted(
        ((folder, name) for folder in folders for name in program_names(folder)),
        key=lambda program: program[1],
    )


def rungs() -> dict[str, tuple[str, ...]]:
    """What is left out for each rung, as the tests have it."""
    known: dict[str, tuple[str, ...]] = runpy.run_path(str(HOSTILE / "rungs.py"))["LEFT_OUT"]
    return known


def first_cells(folder: Path, name: str) -> str:
    """How the line of a program begins; the test compares it."""
    return f"| `{name}` | {tries(folder / f'{name}.py')} |"


def part(findings: dict[str, dict[str, Finding]], features: dict[str, Features]) -> str:
    """The table: a line per program, a column per rung."""
    columns = list(findings)
    contained = {c: sum(f.contained for f in findings[c].values()) for c in columns}
    text = [
        HEADING,
        "",
        "How each of them ended, where it was contained: nothing read, written or reached that was",
        "planted outside, nothing alive or left afterwards, all seen from outside. `grade doctor`",
        "runs some of them on your machine, `tests/hostile` all, each beside an honest program",
        "that must come out right.",
        "",
        *(
            f"- **{c}**: {_what(features[c])}; {contained[c]} of {len(findings[c])} contained"
            for c in columns
        ),
        "",
        "| program | what it does | " + " | ".join(columns) + " |",
        "|---" * (len(columns) + 2) + "|",
    ]
    for folder, name in programs():
        cells = " | ".join(_cell(findings[c][name]) for c in columns)
        text.append(f"{first_cells(folder, name)} {cells} |")
    return "\n".join([*text, ""])


def _what(features: Features) -> str:
    return ", ".join(
        f"{name} ({text})" for name, text in features.described() if not text.startswith("no: ")
    )


def _cell(finding: Finding) -> str:
    if not finding.contained:
        return "**" + "; ".join(finding.problems).replace("|", "/") + "**"
    ended = finding.ended
    if ended.reason is Reason.EXIT:
        return "ended by itself"
    return "crashed" if ended.reason is Reason.SIGNAL else f"stopped: {ended.reason}"


def main() -> None:
    findings: dict[str, dict[str, Finding]] = {}
    features: dict[str, Features] = {}
    for rung, left_out in rungs().items():
        with Zygote(preload=(), without=left_out) as zygote:
            features[rung] = zygote.features
            findings[rung] = {
                name: try_program(zygote, name, folder) for folder, name in programs()
            }
    before, _, _ = PAGE.read_text("utf-8").partition(HEADING)
    PAGE.write_text(before + part(findings, features), "utf-8")


if __name__ == "__main__":
    main()
