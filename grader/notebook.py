"""A Jupyter notebook as the Python that its code cells are, in order.

What only Jupyter understands is taken out, so that line numbers of a cell stay: shell lines
(`!nvidia-smi`), magics (`%matplotlib inline`), cells of another language (`%%bash`). A cell that
is not Python is left out, as Jupyter goes on after one that failed.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.memory_bound import memory_bound

ENDING = ".ipynb"
MAX_BYTES = 16 << 20
MAX_CODE = 400_000  # characters of all code cells; a syntax tree takes 600 times as much memory
MAX_CELLS = 2000
_MOST_MEMORY = 256 << 20  # bytes, to read a cell

#: Cell magics under which ordinary Python stands.
_AROUND_PYTHON = {"time", "timeit", "capture", "prun", "writefile", "python", "python3", "pypy"}
_CELL_MAGIC = re.compile(r"\s*%%(\w*)")
_AROUND_STATEMENT = re.compile(r"(\s*)%(?:time|timeit|prun)\s+(?!-)(\S.*)")
_MAGIC = re.compile(r"(\s*)(?:[!%]|\?\w|get_ipython\(\)|\w+\?{1,2}\s*$)")
_FROM_SHELL = re.compile(r"(\s*)\w[\w, ]*=\s*[!%]")


class NotANotebook(ValueError):
    """The file is none; the message says why, in a few words."""


@dataclass(frozen=True)
class Notebook:
    """`code` are all cells that count, one after the other; `dropped` says what does not.

    `starts` are (first line in `code`, number of the cell as a reader counts code cells from 1).
    """

    code: str
    starts: tuple[tuple[int, int], ...] = ()
    dropped: tuple[str, ...] = ()

    def place(self, line: int) -> tuple[int, int]:
        """(cell, line in it) of a line of `code`."""
        first, cell = max((s for s in self.starts if s[0] <= line), default=(1, 1))
        return cell, line - first + 1


def is_notebook(path: Path) -> bool:
    """Whether a file is one by its name."""
    return path.suffix.lower() == ENDING


def read_notebook(content: bytes) -> Notebook:
    """Read a notebook of format 3 or 4. Raises NotANotebook."""
    lines: list[str] = []
    starts: list[tuple[int, int]] = []
    dropped: list[str] = []
    left = MAX_CODE
    for number, source in enumerate(_code_cells(content), 1):
        left -= len(source)
        if left < 0 or number > MAX_CELLS:
            raise NotANotebook(f"longer than {MAX_CODE} characters or {MAX_CELLS} cells of code")
        kept, without, fault = _python(source)
        if fault is not None:
            dropped.append(f"cell {number}, which is not Python ({fault})")
            continue
        dropped += [f"cell {number}: {line}" for line in without]
        starts.append((len(lines) + 1, number))
        lines += [*kept, ""]
    return Notebook("\n".join(lines), tuple(starts), tuple(dropped))


def _code_cells(content: bytes) -> Iterator[str]:
    if len(content) > MAX_BYTES:
        raise NotANotebook(f"larger than {MAX_BYTES >> 20} MB")
    try:
        data = json.loads(content)
        sheets = data.get("worksheets") or [data]  # format 3 has sheets
        cells: list[Any] = [cell for sheet in sheets for cell in sheet.get("cells") or []]
        for cell in cells:
            if cell.get("cell_type") == "code":
                yield _text(cell.get("source", cell.get("input", "")))
    except UnicodeDecodeError as error:
        raise NotANotebook("not UTF-8 text") from error
    except RecursionError as error:
        raise NotANotebook("nested too deeply") from error
    except (ValueError, AttributeError, TypeError) as error:
        raise NotANotebook("not in the format of Jupyter") from error


def _text(source: Any) -> str:
    text = source if isinstance(source, str) else "".join(source)
    # Half a character, as JSON may hold, is no text that Python reads.
    return text.encode("utf-8", "replace").decode("utf-8")


def _python(source: str) -> tuple[list[str], list[str], str | None]:
    """The lines of a cell with what is not Python replaced, what that was, and why it fails yet."""
    lines = source.splitlines()
    while lines and not lines[-1].strip():
        lines.pop()
    first = next((i for i, line in enumerate(lines) if line.strip()), 0)
    magic = _CELL_MAGIC.match(lines[first]) if lines else None
    if magic:
        if magic[1] not in _AROUND_PYTHON:
            return [""] * len(lines), [lines[first].strip()], None
        lines[first] = ""
    if _fault(lines) is None:
        return lines, [], None
    dropped = []
    for i, line in enumerate(lines):
        if timed := _AROUND_STATEMENT.match(line):
            lines[i] = timed[1] + timed[2]
        elif found := _MAGIC.match(line) or _FROM_SHELL.match(line):
            lines[i] = f"{found[1]}pass"
            dropped.append(line.strip())
    return lines, dropped, _fault(lines)


def _fault(lines: list[str]) -> str | None:
    """Why Python cannot read them, as the name of its error."""
    try:
        with memory_bound(_MOST_MEMORY):
            ast.parse("\n".join(lines))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return type(error).__name__
    return None
