"""Reads Word's .docx: paragraphs with the numbers of their lists, headings, tables, text boxes.

A .docx is a zip with XML in it, which this reads with the standard library: what there is to
gain from a package, styles and the like, is not asked for here, and what a hostile file can do
(bombs of zip and of entities, nesting) is bounded where it is read.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from dataclasses import dataclass, field

from grader.intake.reading.document import (
    MAX_TABLE_ROWS,
    PICTURE,
    Document,
    UnreadableError,
    document_of,
)
from grader.intake.reading.docx_numbering import Numbering
from grader.intake.reading.docx_parts import (
    DAMAGED,
    Attributes,
    Style,
    number_in,
    numbering_in,
    parse,
    part_of,
    styles_in,
)
from grader.intake.reading.monospace import fenced
from grader.intake.reading.rows import as_rows
from grader.intake.report_text import clean

_MONO = ("courier", "consolas", "mono", "menlo", "monaco", "source code")
_CODE_STYLES = ("code", "preformatted", "verbatim", "listing")


def read_docx(content: bytes) -> Document:
    """Read a .docx; UnreadableError where it is none, damaged or a bomb."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            styles = styles_in(part_of(archive, "word/styles.xml"))
            numbering = numbering_in(part_of(archive, "word/numbering.xml"))
            body = _Body(styles, numbering)
            main = part_of(archive, "word/document.xml")
            if not main:
                raise UnreadableError("is not a Word document; hand in a PDF")
            parse(main, body.start, body.end, body.data)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as error:
        raise UnreadableError(DAMAGED) from error
    except (OSError, RuntimeError) as error:  # RuntimeError: it is encrypted
        raise UnreadableError(DAMAGED) from error
    pages = [clean("\n".join(fenced(page))) for page in body.pages]
    remarks = ["not all of its tables were read"] if body.rows > MAX_TABLE_ROWS else []
    return document_of(pages, remarks)


# ---------------------------------------------------------------------- the text


@dataclass
class _Paragraph:
    text: str = ""
    style: str = ""
    list_id: str | None = None
    level: int = 0
    mono: int = 0  # letters in a font of code
    in_mono: bool = False
    inner: list[str] = field(default_factory=list)  # of text boxes, and pictures
    breaks: bool = False  # the page ends in it, or before it


@dataclass
class _Table:
    rows: list[list[str]] = field(default_factory=list)
    span: int = 1


class _Body:
    """Follows the main part. `pages` are lines, each with whether it is code."""

    def __init__(self, styles: dict[str, Style], numbering: Numbering) -> None:
        self.pages: list[list[tuple[str, bool]]] = [[]]
        self.rows = 0
        self._styles = styles
        self._numbering = numbering
        self._open: list[_Paragraph] = []  # more than one within a text box
        self._tables: list[_Table] = []
        self._skipped = 0  # depth within what is shown another way already
        self._is_text = False

    def start(self, name: str, attributes: Attributes) -> None:
        if self._skipped or name == "Fallback":
            self._skipped += 1
            return
        value = attributes.get("val", "")
        if name == "p":
            self._open.append(_Paragraph())
        elif name == "tbl":
            self._tables.append(_Table())
        elif name == "tr" and self._tables:
            self._tables[-1].rows.append([])
        elif name == "tc" and self._tables and self._tables[-1].rows:
            self._tables[-1].rows[-1].append("")
            self._tables[-1].span = 1
        elif name == "gridSpan" and self._tables:
            self._tables[-1].span = min(max(number_in(value), 1), 50)
        elif self._open:
            self._within(self._open[-1], name, value, attributes)

    def _within(self, at: _Paragraph, name: str, value: str, attributes: Attributes) -> None:
        if name == "t":
            self._is_text = True
        elif name == "tab":
            at.text += "\t"
        elif name in ("br", "cr"):
            at.text += "\n"
            at.breaks = at.breaks or attributes.get("type") == "page"
        elif name == "lastRenderedPageBreak":
            at.breaks = True
        elif name == "noBreakHyphen":
            at.text += "-"
        elif name == "pStyle":
            at.style = value
        elif name == "numId":
            at.list_id = value
        elif name == "ilvl":
            at.level = number_in(value)
        elif name == "rFonts":
            font = attributes.get("ascii", "").lower()
            at.in_mono = any(word in font for word in _MONO)
        elif name in ("blip", "imagedata"):
            at.inner.append(PICTURE)

    def data(self, text: str) -> None:
        if self._is_text and self._open:
            at = self._open[-1]
            at.text += text
            at.mono += len(text) if at.in_mono else 0

    def end(self, name: str) -> None:
        if self._skipped:
            self._skipped -= 1
        elif name == "t":
            self._is_text = False
        elif name == "r" and self._open:
            self._open[-1].in_mono = False
        elif name == "p" and self._open:
            self._ended(self._open.pop())
        elif name == "tc" and self._tables and self._tables[-1].rows:
            self._tables[-1].rows[-1] += [""] * (self._tables[-1].span - 1)
        elif name == "tbl" and self._tables:
            self._table_ended(self._tables.pop())

    def _ended(self, paragraph: _Paragraph) -> None:
        style = self._styles.get(paragraph.style, Style())
        if style.name.startswith("toc "):
            return  # of a table of contents
        text = self._labelled(paragraph)
        if self._open:  # of a text box: it goes below the paragraph that holds it
            self._open[-1].inner += [text, *paragraph.inner]
            return
        if self._tables:
            if self._tables[-1].rows and self._tables[-1].rows[-1]:
                row = self._tables[-1].rows[-1]
                row[-1] = " ".join(filter(None, (row[-1], text, *paragraph.inner)))
            return
        if paragraph.breaks and self.pages[-1]:
            self.pages.append([])
        words = len(paragraph.text.strip())
        is_code = any(word in style.name for word in _CODE_STYLES) or (
            words > 0 and paragraph.mono >= words
        )
        lines = text.split("\n") if text else []
        self.pages[-1] += [(line, is_code) for line in lines]
        self.pages[-1] += [(line, False) for line in paragraph.inner]

    def _labelled(self, paragraph: _Paragraph) -> str:
        text = paragraph.text.strip()
        chain = self._chain(paragraph.style)
        if not text:
            return ""
        list_id, level = paragraph.list_id, paragraph.level
        if list_id is None:
            list_id, level = next(((s.list_id, s.level) for s in chain if s.list_id), ("", 0))
        label = self._numbering.label(list_id, level)
        if label:
            text = f"{label} {text}"
        depth = next((d for s in chain if (d := _depth(s)) is not None), None)
        return text if depth is None or self._tables else f"{'#' * depth} {text}"

    def _chain(self, style: str) -> list[Style]:
        """A style and what it is based on."""
        found: list[Style] = []
        while style in self._styles and len(found) < 10:
            found.append(self._styles[style])
            style = found[-1].based_on
        return found

    def _table_ended(self, table: _Table) -> None:
        if self._tables:  # a table in a cell is part of its text
            row = self._tables[-1].rows[-1] if self._tables[-1].rows else []
            if row:
                row[-1] += " " + " ".join(cell for inner in table.rows for cell in inner if cell)
            return
        self.rows += len(table.rows)
        if self.rows > MAX_TABLE_ROWS:
            return
        if max(map(len, table.rows), default=0) > 1:
            self.pages[-1] += [(row, False) for row in as_rows(table.rows)]
        else:  # a frame around text
            self.pages[-1] += [(cell, False) for row in table.rows for cell in row if cell]


def _depth(style: Style) -> int | None:
    """How deep a heading of this style is; None for text."""
    if style.outline is not None and style.outline < 6:
        return style.outline + 1
    if style.name == "title":
        return 1
    name, _, number = style.name.partition(" ")
    return int(number) if name == "heading" and number in {"1", "2", "3", "4", "5", "6"} else None
