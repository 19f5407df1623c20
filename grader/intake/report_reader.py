"""A program for the sandbox: `--folder FOLDER FILE` prints the text of a report as JSON.

{"pages": [...], "to_see": [...]}, {"problem": "..."}, or all where only a part could be read.
A hostile file can hang a reader or eat memory, so whoever starts this sets limits.
"""

from __future__ import annotations

import argparse
import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from grader.intake.names import readable
from grader.intake.reading.document import Document, UnreadableError

#: Which module of `reading` reads which ending; its function is read_<module>. Anything else
#: is taken for a PDF, which is what was asked for.
FORMS = {
    ".pdf": "pdf",
    ".docx": "docx",
    ".md": "markdown",
    ".markdown": "markdown",
    ".txt": "markdown",
    ".rst": "markdown",
    ".html": "html",
    ".htm": "html",
    ".ipynb": "notebook",
}
MAX_BYTES = 50 * 2**20


def read(path: Path) -> dict[str, Any]:
    """Pages of clean text, and what could not be read in words for a person."""
    name = readable(path.name)
    try:
        document = _read(path)
    except UnreadableError as error:
        return {"problem": f"{name} {error}"} | ({"to_see": error.to_see} if error.to_see else {})
    except (RecursionError, MemoryError):  # nested or blown up beyond what any report is
        return {"problem": f"{name} is too deep or too large inside; export it again as PDF"}
    answer: dict[str, Any] = {"pages": document.pages}
    if document.to_see:
        answer["to_see"] = document.to_see
    if document.remarks:
        answer["problem"] = f"{name}: {'; '.join(document.remarks)}"
    return answer


def _read(path: Path) -> Document:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UnreadableError(f"is larger than {MAX_BYTES >> 20} MB; hand in a smaller one")
        content = path.read_bytes()
    except OSError as error:
        raise UnreadableError(f"cannot be read ({error.strerror})") from error
    if not content:
        raise UnreadableError("is empty; hand in a PDF")
    form = FORMS.get(path.suffix.lower(), "pdf")
    if content[:5] == b"%PDF-":
        form = "pdf"  # whatever its name says
    module = import_module(f"grader.intake.reading.{form}")
    found: Document = getattr(module, f"read_{form}")(content)
    return found


def main(arguments: list[str] | None = None) -> None:
    """Read one file; the answer goes to standard output."""
    parser = argparse.ArgumentParser(prog="report_reader", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where the file is")
    parser.add_argument("file", type=Path, help="relative to it")
    options = parser.parse_args(arguments)
    sys.stdout.write(json.dumps(read(options.folder / options.file)) + "\n")


if __name__ == "__main__":
    main()
