"""The parts of a .docx: XML within a zip, its styles and its lists, read within limits."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from xml.parsers import expat

from grader.intake.reading.document import UnreadableError
from grader.intake.reading.docx_numbering import Level, Numbering

_MAX_XML = 30 * 2**20  # bytes of one part; a report's text is a hundredth of it
_MAX_DEPTH = 250
DAMAGED = "is a damaged .docx; export it again, as PDF"

Attributes = dict[str, str]


def part_of(archive: zipfile.ZipFile, name: str) -> bytes:
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


def parse(
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
    except (expat.ExpatError, LookupError) as error:  # LookupError: no such encoding
        raise UnreadableError(DAMAGED) from error


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _nothing(_: str) -> None:
    """For parts of which only the attributes matter."""


@dataclass
class Style:
    """A style of paragraphs, as far as it makes headings and lists."""

    name: str = ""
    based_on: str = ""
    list_id: str = ""
    level: int = 0
    outline: int | None = None


def styles_in(xml: bytes) -> dict[str, Style]:
    """The styles by their ids."""
    styles: dict[str, Style] = {}
    now = Style()

    def start(name: str, attributes: Attributes) -> None:
        nonlocal now
        value = attributes.get("val", "")
        if name == "style":
            now = styles.setdefault(attributes.get("styleId", ""), Style())
        elif name == "name" and not now.name:
            now.name = value.lower()
        elif name == "basedOn":
            now.based_on = value
        elif name == "numId":
            now.list_id = value
        elif name == "ilvl":
            now.level = number_in(value)
        elif name == "outlineLvl":
            now.outline = number_in(value)

    if xml:
        parse(xml, start, _nothing, _nothing)
    return styles


def numbering_in(xml: bytes) -> Numbering:
    """The lists of a document."""
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
            level = levels.setdefault(number_in(attributes.get("ilvl", "")), Level())
        elif name == "start":
            level.start = number_in(value)
        elif name == "numFmt":
            level.form = value
        elif name == "lvlText":
            level.text = value[:20]
        elif name == "num":
            list_id, levels = attributes.get("numId", ""), {}
        elif name == "abstractNumId" and list_id:
            found.lists[list_id] = value
        elif name == "lvlOverride":
            override = number_in(attributes.get("ilvl", ""))
        elif name == "startOverride":
            found.restarts.setdefault(list_id, {})[override] = number_in(value)

    if xml:
        parse(xml, start, _nothing, _nothing)
    return found


def number_in(text: str) -> int:
    """A small whole number; 0 for what is none."""
    return int(text) if text.isdecimal() and len(text) < 6 else 0
