"""The code of a hand-in as text, to be compared with that of others: only read, never parsed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from grader.notebook import ENDING, NotANotebook, read_notebook

LONGEST = 60_000  # characters of a hand-in; homework is a few thousand
_LONGEST_LINE = 300  # a longer one is data, on which tokenizers may take hours
_BYTES = 4 * LONGEST


def code_text(folder: Path, code: Sequence[Path]) -> dict[str, str]:
    """What stands in each of the files `code` (relative to `folder`), by name; 60,000 characters.

    A notebook is its code cells, each by itself. Lines keep their numbers, but not what is beyond
    300 characters. A file that cannot be read is left out.
    """
    found: dict[str, str] = {}
    left = LONGEST
    for file in code:
        for name, text in _texts(folder / file, file.as_posix()):
            found[name] = _tame(text[:left])
            left -= len(found[name])
            if left <= 0:
                return found
    return found


def _texts(path: Path, name: str) -> Iterator[tuple[str, str]]:
    try:
        if path.suffix.lower() == ENDING:
            yield from _cells(path, name)
        else:
            with path.open("rb") as file:
                yield name, file.read(_BYTES).decode("utf-8", "replace")
    except (OSError, NotANotebook):
        return


def _cells(path: Path, name: str) -> Iterator[tuple[str, str]]:
    notebook = read_notebook(path.read_bytes())
    lines = notebook.code.split("\n")
    for (first, cell), (end, _) in pairwise([*notebook.starts, (len(lines) + 1, 0)]):
        yield f"{name}, cell {cell}", "\n".join(lines[first - 1 : end - 1])


def _tame(text: str) -> str:
    lines = text.replace("\0", " ").replace("\r\n", "\n").split("\n")
    return "\n".join(line[:_LONGEST_LINE].rstrip() for line in lines)
