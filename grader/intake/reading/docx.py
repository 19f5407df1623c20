"""Reads Word's .docx: paragraphs with the numbers of their lists, headings, tables, text boxes.

A .docx is a zip with XML in it, which this reads with the standard library: what there is to
gain from a package, styles and the like, is not asked for here, and what a hostile file can do
(bombs of zip and of entities, nesting) is bounded where it is read.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from xml.parsers import expat

from grader.intake.reading.document import (
    MAX_TABLE_ROWS,
    PICTURE,
    Document,
    UnreadableError,
    document_of,
)
from grader.intake.reading.docx_numbering import Level, Numbering
from grader.intake.reading.monospace import fenced
from grader.intake.reading.rows import as_rows
from grader.intake.report_text import clean

_MAX_XML = 30 * 2**20  # bytes of one part; a report's text is a hundredth of it
_MAX_DEPTH = 250
_DAMAGED = "is a damaged .docx; export it again, as PDF"
_MONO = ("courier", "consolas", "mono", "menlo", "monaco", "source code")
_CODE_STYLES = ("code", "preformatted", "verbatim", "listing")

Attributes = dict[str, str]


def read_docx(content: bytes) -> Document:
    """Read a .docx; UnreadableError where it is none, damaged or a bomb."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            styles = _styles(_part(archive, "word/styles.xml"))
            numbering = _numbering(_part(archive, "word/numbering.xml"))
            body = _Body(styles, numbering)
            main = _part(archive, "word/document.xml")
            if not main:
                raise UnreadableError("is not a Word document; hand in a PDF")
            _parse(main, body.start, body.end, body.data)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as error:
        raise UnreadableError(_DAMAGED) from error
    except (OSError, RuntimeError) as error:  # RuntimeError: it is encrypted
        raise UnreadableError(_DAMAGED) from error
    pages = [clean("\n".join(fenced(page))) for page in body.pages]
    remarks = ["not all of its tables were read"] if body.rows > MAX_TABLE_ROWS else []
    return document_of(pages, remarks)


def _part(archive: zipfile.ZipFile, name: str) -> bytes:
    """One file of the archive; empty where it has none."""
    if name not in archive.namelist():
        return b""
    with archive.open(name) as file:
        content = file.read(_MAX_XML + 1)
    if len(content) > _MAX_XML:
        raise UnreadableError("is too large inside; export it again as PDF")
    return content


Start = Callable[[str, Attributes], None]
Said = Callable[[str], None]


def _parse(
    xml: bytes, start: Start, end: Callable[[str], None], data: Callable[[str], None]
) -> None:
    """Read XML. Names come without their namespace's prefix; entities are refused."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    depth = 0

    def opened(name: str, attributes: Attributes) -> None:
        nonlocal depth
        depth += 1
        if depth > _MAX_DEPTH:
            raise UnreadableError("is nested too deep inside; export it again as PDF")
        start(_local(name), {_local(key): value for key, value in attributes.items()})

    def closed(name: str) -> None:
        nonlocal depth
        depth -= 1
        end(_local(name))

    def refuse(*_: object) -> None:
        raise UnreadableError("declares XML entities, which Word never does; hand in a PDF")

    parser.StartElementHandler = opened
    parser.EndElementHandler = closed
    parser.CharacterDataHandler = data
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(xml, True)
    except expat.ExpatError as error:
        raise UnreadableError(_DAMAGED) from error


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _nothing(_: str) -> None:
    """For parts of which only the attributes matter."""


# ---------------------------------------------------------------------- styles and lists


@dataclass
class _Style:
    name: str = ""
    based_on: str = ""
    list_id: str = ""
    level: int = 0
    outline: int | None = None


def _styles(xml: bytes) -> dict[str, _Style]:
    styles: dict[str, _Style] = {}
    now = _Style()

    def start(name: str, attributes: Attributes) -> None:
        nonlocal now
        value = attributes.get("val", "")
        if name == "style":
            now = styles.setdefault(attributes.get("styleId", ""), _Style())
        elif name == "name" and not now.name:
            now.name = value.lower()
        elif name == "basedOn":
            now.based_on = value
        elif name == "numId":
            now.list_id = value
        elif name == "ilvl":
            now.level = _number(value)
        elif name == "outlineLvl":
            now.outline = _number(value)

    if xml:
        _parse(xml, start, _nothing, _nothing)
    return styles


def _numbering(xml: bytes) -> Numbering:
    found = Numbering()
    levels: dict[int, Level] = {}
    level = Level()
    list_id = ""
    override = 0

    def start(name: str, attributes: Attributes) -> None:
        nonlocal levels, level, list_id, override
        value = attributes.get("val", "")
        if name == "abstractNum":
            levels = found.definitions.setdefault(attributes.get("abstractNumId", ""), {})
        elif name == "lvl":
            level = levels.setdefault(_number(attributes.get("ilvl", "")), Level())
        elif name == "start":
            level.start = _number(value)
        elif name == "numFmt":
            level.form = value
        elif name == "lvlText":
            level.text = value[:20]
        elif name == "num":
            list_id, levels = attributes.get("numId", ""), {}
        elif name == "abstractNumId" and list_id:
            found.lists[list_id] = value
        elif name == "lvlOverride":
            override = _number(attributes.get("ilvl", ""))
        elif name == "startOverride":
            found.restarts.setdefault(list_id, {})[override] = _number(value)

    if xml:
        _parse(xml, start, _nothing, _nothing)
    return found


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 6 else 0


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

    def __init__(self, styles: dict[str, _Style], numbering: Numbering) -> None:
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
            self._tables[-1].span = min(max(_number(value), 1), 50)
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
            at.level = _number(value)
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
        style = self._styles.get(paragraph.style, _Style())
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

    def _chain(self, style: str) -> list[_Style]:
        """A style and what it is based on."""
        found: list[_Style] = []
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


def _depth(style: _Style) -> int | None:
    """How deep a heading of this style is; None for text."""
    if style.outline is not None and style.outline < 6:
        return style.outline + 1
    if style.name == "title":
        return 1
    name, _, number = style.name.partition(" ")
    return int(number) if name == "heading" and number in {"1", "2", "3", "4", "5", "6"} else None
