"""A program for the sandbox: `--folder FOLDER FILE PAGE...` prints pages of a PDF as pictures.

{"1": base64 of a JPEG, ...}; a page that cannot be drawn is left out. They are for the person
who reads what no program can.
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import pypdfium2

WIDTH, HEIGHT = 1240, 1754  # pixels at most: A4 at 150 dots per inch
MOST_PAGES = 12
QUALITY = 70


def drawn(path: Path, pages: Sequence[int]) -> dict[int, bytes]:
    """The first few of the `pages`, counted from 1, as JPEGs. PdfiumError where it is no PDF."""
    found: dict[int, bytes] = {}
    with pypdfium2.PdfDocument(path) as document:
        for number in pages[:MOST_PAGES]:
            try:
                found[number] = _jpeg(document[number - 1])
            except (pypdfium2.PdfiumError, IndexError):
                continue  # the reader said so already
    return found


def _jpeg(page: pypdfium2.PdfPage) -> bytes:
    width, height = page.get_size()
    scale = min(WIDTH / max(width, 1), HEIGHT / max(height, 1))
    into = io.BytesIO()
    page.render(scale=scale).to_pil().convert("RGB").save(into, "JPEG", quality=QUALITY)
    return into.getvalue()


def main(arguments: list[str] | None = None) -> None:
    """Draw pages of one file; the answer goes to standard output."""
    parser = argparse.ArgumentParser(prog="page_pictures", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where the file is")
    parser.add_argument("file", type=Path, help="relative to it")
    parser.add_argument("pages", type=int, nargs="+")
    options = parser.parse_args(arguments)
    pictures = drawn(options.folder / options.file, options.pages)
    told = {number: base64.b64encode(jpeg).decode() for number, jpeg in pictures.items()}
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
