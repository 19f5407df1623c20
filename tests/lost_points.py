"""What a lost point must say: what was asked and found, where, and what would have earned it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

#: Of the code, what has no line to name: there is no code, or its process has ended itself.
NO_LINE = ("no Python script and no notebook was handed in", "the process ended in the middle")

_PLACE = re.compile(r"(?P<file>[^,]+), (?:cell \d+, )?line (?P<line>\d+)(?:: (?P<code>.*))?")
_SHOWN = 100  # characters of a line that are shown whatever its length


def unexplained(criteria: Iterable[dict[str, Any]], folder: Path) -> list[str]:
    """Lost points of the hand-in in `folder`, final or suggested, that do not say enough."""
    return [
        f"{c['id']}: {problem}: {c['evidence']} | {c['where']} | {c['hint']}"
        for c in criteria
        if c["earned"] is not None and c["earned"] < c["points"]
        for problem in _problems(c, folder)
    ]


def _problems(criterion: dict[str, Any], folder: Path) -> Iterator[str]:
    if not re.search("expected|failed|asked|no python script", criterion["evidence"].lower()):
        yield "not what was asked"
    if not criterion["hint"]:
        yield "no hint"
    where = criterion["where"] or ""
    if criterion["kind"] == "code":
        if not any(reason in criterion["evidence"] for reason in NO_LINE):
            yield from _problems_of_place(where, folder)
        return
    if not re.search("“.+”", where):
        yield "no sentence"
    reports = {f.suffix for f in folder.rglob("*") if f.suffix in {".pdf", ".docx", ".md", ".txt"}}
    if reports == {".pdf"} and "(page " not in where:
        yield "no page"
    if ".pdf" not in reports and "(page " in where:
        yield "a page, and there is none"


def _problems_of_place(where: str, folder: Path) -> Iterator[str]:
    """A place is a file of the hand-in and a line of it, with its code."""
    found = _PLACE.match(where)
    if found is None:
        yield "no line"
        return
    files = [f for f in folder.rglob(Path(found["file"]).name) if f.match(found["file"])]
    if not files:
        yield f"no file {found['file']}"
    elif files[0].suffix == ".py":
        line = files[0].read_text("utf-8").splitlines()[int(found["line"]) - 1].strip()
        if not (found["code"] or "").startswith(line[:_SHOWN]):
            yield f"that line is {line!r}"
