"""Places in a student's code as a student reads them: "hw3.py, line 20: x = layer(x)"."""

from __future__ import annotations

import linecache
from pathlib import Path

from grader.notebook import Notebook

#: Characters of a line of code that are shown.
CODE = 120

#: Notebooks that were read, by their paths: a line of theirs is told by its cell.
NOTEBOOKS: dict[str, Notebook] = {}


def place(file: str, line: int | None, folder: Path) -> str:
    """A line of a file inside `folder`, with its code where that can be read."""
    code = linecache.getline(file, line or 0).strip()
    code = code if len(code) <= CODE else f"{code[: CODE - 1]}…"
    shown = f"{Path(file).relative_to(folder)}, "
    if file in NOTEBOOKS and line is not None:
        cell, line = NOTEBOOKS[file].place(line)
        shown += f"cell {cell}, "
    return f"{shown}line {line}" + (f": {code}" if code else "")


def named(line: str | None, folder: Path) -> str | None:
    """The place of a trace's "file:number"; None outside `folder`."""
    file, _, number = (line or "").rpartition(":")
    return place(file, int(number), folder) if file and inside(file, folder) else None


def inside(file: str, folder: Path) -> bool:
    return Path(file).is_relative_to(folder)
