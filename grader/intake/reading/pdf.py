"""Reads PDFs: text in reading order, tables as rows, pictures by their place."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pypdfium2

from grader.intake.heading_words import looks_like_heading
from grader.intake.reading.document import (
    MAX_CHARACTERS,
    MAX_PAGES,
    MAX_TABLE_ROWS,
    PICTURE,
    Document,
    UnreadableError,
)
from grader.intake.reading.lines import Line, lines_of, mend_divided
from grader.intake.reading.monospace import code_lines, fenced
from grader.intake.reading.pdf_page import Box, PdfPage, look_at
from grader.intake.reading.pdf_tables import FoundTable, tables_of
from grader.intake.reading.rows import as_rows
from grader.intake.reading.running import Printed, drop_running
from grader.intake.report_text import clean

_PASSWORD = 4  # FPDF_ERR_PASSWORD
_NEXT_TO_NO_TEXT = 60  # characters
_SMALLEST_PICTURE = 0.02  # of the page; logos and icons are smaller


def read_pdf(content: bytes) -> Document:
    """Read a PDF; UnreadableError where it is none, damaged or locked."""
    if b"%PDF" not in content[:1024]:
        raise UnreadableError("is not a PDF; hand in a PDF")
    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        if error.err_code == _PASSWORD:  # PDFium's last error: true of a process's first file
            raise UnreadableError("is locked with a password; hand it in without one") from error
        raise UnreadableError("is damaged or has no pages; export it again") from error
    with document:
        return _read(document)


@dataclass
class _Pages:
    printed: list[list[Printed]]
    heights: list[float]
    unread: list[int]  # pages that are damaged
    guessed: list[int]  # pages whose order is uncertain
    pictures: list[int]
    short: bool = False  # not all of the text was read


def _read(document: pypdfium2.PdfDocument) -> Document:
    found = _Pages([], [], [], [], [])
    room, rows = MAX_CHARACTERS, MAX_TABLE_ROWS
    for index in range(min(len(document), MAX_PAGES)):
        if room <= 0:
            break
        try:
            page = look_at(document, index, room)
        except pypdfium2.PdfiumError:
            page = PdfPage(1, 1)
            found.unread.append(index + 1)
        room -= page.characters
        rows -= _add(found, page, index + 1, rows)
    texts = _texts(found)
    written = [text.replace(PICTURE, "").strip() for text in texts]
    if not any(written):
        raise _empty(found)
    remarks = [_why_blank(n, found) for n, text in enumerate(written, 1) if not text]
    remarks += [f"page {n} is a picture" for n in found.pictures if written[n - 1]]
    remarks += [f"page {n} may have been read in a wrong order" for n in found.guessed]
    if len(document) > MAX_PAGES:
        remarks.append(f"only the first {MAX_PAGES} of {len(document)} pages were read")
    if room <= 0:
        remarks.append(f"only the first {MAX_CHARACTERS:,} characters were read")
    return Document(texts, sorted({*found.pictures, *found.guessed}), remarks)


def _add(found: _Pages, page: PdfPage, number: int, rows: int) -> int:
    """Add the lines of a page; returns how many rows of tables are among them."""
    lines, guessed = lines_of(page.words)
    tables = tables_of(page, lines) if rows > 0 else []
    pictures = [box for box in page.pictures if _share(box, page) > _SMALLEST_PICTURE]
    if pictures and sum(len(word.text) for word in page.words) < _NEXT_TO_NO_TEXT:
        found.pictures.append(number)
    if guessed:
        found.guessed.append(number)
    printed = _printed(lines, tables)
    for box in pictures:
        _insert(printed, box)
    printed += [Printed(word, page.height / 2) for word in page.turned]
    found.printed.append(printed)
    found.heights.append(page.height)
    return sum(line.is_row for line in printed)


def _share(box: Box, page: PdfPage) -> float:
    width = min(box.x1, page.width) - max(box.x0, 0)
    height = min(box.y1, page.height) - max(box.y0, 0)
    return max(width, 0) * max(height, 0) / max(page.width * page.height, 1)


def _printed(lines: list[Line], tables: list[FoundTable]) -> list[Printed]:
    """Lines of text, and each table where its first word stood."""
    table_of = {word: table for table in tables for word in table.words}
    code = code_lines([line for line in lines if id(line.words[0]) not in table_of])
    done: set[int] = set()
    printed: list[Printed] = []
    for line in lines:
        for table in filter(None, (table_of.get(id(word)) for word in line.words)):
            if id(table) not in done:
                done.add(id(table))
                printed += [Printed(row, line.base, is_row=True) for row in as_rows(table.rows)]
        if outside := [word for word in line.words if id(word) not in table_of]:
            printed.append(Printed(Line(outside).text, line.base, is_code=id(line) in code))
    return printed


def _insert(printed: list[Printed], box: Box) -> None:
    """Name a picture before the first line that stands below its middle."""
    middle = (box.y0 + box.y1) / 2
    place = next((n for n, line in enumerate(printed) if line.y > middle), len(printed))
    printed.insert(place, Printed(PICTURE, middle))


def _texts(found: _Pages) -> list[str]:
    pages = drop_running(found.printed, found.heights, looks_like_heading)
    lines = [line for page in pages for line in page]
    words = {word.lower() for line in lines for word in re.findall(r"[\w-]+", line.text)}
    # A report that is set like code throughout has prose in it, and headings.
    has_prose = sum(line.is_code for line in lines) < 0.6 * len(lines)
    texts = []
    for page in pages:
        mended = mend_divided([line.text for line in page], words)
        marked = [
            (text, line.is_code and has_prose) for text, line in zip(mended, page, strict=True)
        ]
        texts.append(clean("\n".join(fenced(marked))))
    return texts


def _empty(found: _Pages) -> UnreadableError:
    if found.unread:
        return UnreadableError("is damaged, its pages cannot be read; export it again")
    why = "holds pictures but no text (a scan or screenshots?); a person must read it"
    return UnreadableError(why, range(1, len(found.printed) + 1))


def _why_blank(number: int, found: _Pages) -> str:
    if number in found.unread:
        return f"page {number} cannot be read"
    return f"page {number} holds no text (a picture?)"
