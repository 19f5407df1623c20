"""Reads Markdown, reStructuredText and plain text: tables become rows, pictures are named."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Sequence

from grader.intake.reading.document import (
    MAX_CHARACTERS,
    PICTURE,
    Document,
    document_of,
)
from grader.intake.reading.plain_tables import with_rows
from grader.intake.reading.rows import as_rows, cells_of, is_row, is_ruler
from grader.intake.report_text import clean

_PICTURE = re.compile(r"!\[[^\]\n]{0,300}\]\([^)\n]{0,2000}\)|<img\b[^>\n]{0,2000}>")
_UNDERLINE = re.compile(r"\s*([=~^\"'`*+#-])\1{2,}\s*")
_GRID = re.compile(r"\s*\+[-=+]{3,}\+?\s*|\s*(?:={2,}|-{2,})(?:\s+(?:={2,}|-{2,}))+\s*")
_FENCE = re.compile(r"\s{0,3}(```|~~~)")


def read_markdown(content: bytes) -> Document:
    """Read a text file, whatever its encoding."""
    return document_of([clean(as_text(decoded(content)))])


def decoded(content: bytes) -> str:
    """Text in the encoding it declares, in UTF-8, or in that of Western Windows."""
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if content.startswith(mark):
            return content.decode(encoding, "replace")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("cp1257", "replace")  # of the Baltic, near to that of the West


def as_text(text: str) -> str:
    """Markdown with each row of a table as `| cell | cell |`; code stays as it is."""
    lines = re.sub("\r\n?", "\n", text[: 2 * MAX_CHARACTERS]).split("\n")
    return "\n".join(line for block in _blocks(lines) for line in block)


def _blocks(lines: Sequence[str]) -> Iterator[list[str]]:
    """Code, and what is between code, each on its own."""
    fences = [n for n, line in enumerate(lines) if _FENCE.match(line)]
    at = 0
    for start, end in zip(fences[::2], fences[1::2], strict=False):
        yield _prose(lines[at:start])
        yield ["```", *lines[start + 1 : end], "```"]
        at = end + 1
    yield _prose(lines[at:])


def _prose(lines: Sequence[str]) -> list[str]:
    found: list[str] = []
    table: list[list[str]] = []
    for n, line in enumerate([*lines, ""]):
        after = lines[n + 1] if n + 1 < len(lines) else ""
        if is_row(line) or (("|" in line) and (is_ruler(line) or is_ruler(after) or table)):
            if not is_ruler(line):
                table.append(cells_of(line if is_row(line) else f"|{line.strip().strip('|')}|"))
            continue
        found += as_rows(table)
        table = []
        if n < len(lines) and not _GRID.fullmatch(line) and not _underlines(lines, n):
            found.append(_PICTURE.sub(f"\n{PICTURE}\n", line))
    return with_rows(found)


def _underlines(lines: Sequence[str], n: int) -> bool:
    return bool(n and lines[n - 1].strip() and _UNDERLINE.fullmatch(lines[n]))
