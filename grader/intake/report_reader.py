"""A program for the sandbox: `--folder FOLDER FILE` prints the text of a PDF as JSON.

{"pages": [...]}, {"problem": "..."}, or both where only a part could be read. A hostile PDF
can hang PDFium or eat memory, so whoever starts this sets time and memory limits.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import pypdfium2

from grader.intake.names import readable
from grader.intake.report_text import clean

MAX_PAGES = 100
MAX_CHARACTERS = 1_000_000

_PASSWORD = 4  # FPDF_ERR_PASSWORD


def read(path: Path) -> dict[str, Any]:
    """Pages of clean text, and what could not be read in words for a person."""
    name = readable(path.name)
    try:
        content = path.read_bytes()
    except OSError as error:
        return {"problem": f"{name} cannot be read ({error.strerror})"}
    if b"%PDF" not in content[:1024]:
        return {"problem": f"{name} is {'not a PDF' if content else 'empty'}; hand in a PDF"}
    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        if error.err_code == _PASSWORD:  # PDFium's last error: true of a process's first file
            return {"problem": f"{name} is locked with a password; hand it in without one"}
        return {"problem": f"{name} is damaged or has no pages; export it again"}
    with document:
        return _text_of(document, name)


def _text_of(document: pypdfium2.PdfDocument, name: str) -> dict[str, Any]:
    pages: list[str] = []
    unread: list[int] = []
    room = MAX_CHARACTERS
    for index in range(min(len(document), MAX_PAGES)):
        if room <= 0:
            break
        try:
            pages.append(_page(document, index)[:room])
        except pypdfium2.PdfiumError:
            pages.append("")
            unread.append(index + 1)
        room -= len(pages[-1])
    if not any(pages):
        return {"problem": _why_empty(name, unread)}
    missing = [_why_blank(number, unread) for number, text in enumerate(pages, 1) if not text]
    if len(document) > MAX_PAGES:
        missing.append(f"only the first {MAX_PAGES} of {len(document)} pages were read")
    if room <= 0:
        missing.append(f"only the first {MAX_CHARACTERS:,} characters were read")
    problem = f"{name}: {'; '.join(missing)}" if missing else None
    return {"pages": pages} | ({"problem": problem} if problem else {})


def _page(document: pypdfium2.PdfDocument, index: int) -> str:
    page = document[index]
    text = page.get_textpage()
    try:
        return clean(text.get_text_bounded())
    finally:
        text.close()
        page.close()


def _why_empty(name: str, unread: list[int]) -> str:
    if unread:
        return f"{name} is damaged, its pages cannot be read; export it again"
    return f"{name} holds pictures but no text (a scan or screenshots?); a person must read it"


def _why_blank(number: int, unread: list[int]) -> str:
    why = "cannot be read" if number in unread else "holds no text (a picture?)"
    return f"page {number} {why}"


def main(arguments: list[str] | None = None) -> None:
    """Read one file; the answer goes to standard output."""
    parser = argparse.ArgumentParser(prog="report_reader", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where the file is")
    parser.add_argument("file", type=Path, help="relative to it")
    options = parser.parse_args(arguments)
    sys.stdout.write(json.dumps(read(options.folder / options.file)) + "\n")


if __name__ == "__main__":
    main()
