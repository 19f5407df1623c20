"""Writes what is not written by hand in the demo class, and the reference's report.

    python tests/make_demo_class.py

Reports are kept as text (`report.md`) and rendered to PDF; hand-ins that arrive as archives are
kept as files and packed. Two runs give the same bytes, so a change of a source is all that a
commit shows. The folders of submissions/ hold their code as it is.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4, letter
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import (
    Flowable,
    Paragraph,
    Preformatted,
    SimpleDocTemplate,
    Spacer,
    Table,
    TableStyle,
)

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "tests" / "submissions" / "demo"

ZIP_TIME = (2026, 4, 29, 18, 30, 0)
MAC_JUNK = bytes.fromhex("0005160700020000") + b"Mac OS X        "  # how AppleDouble files begin


@dataclass(frozen=True)
class Look:
    """How one student's report looks."""

    font: str = "Helvetica"
    bold: str = "Helvetica-Bold"
    size: float = 10
    page: tuple[float, float] = A4
    ruled: bool = True


PLAIN = Look()
SERIF = Look("Times-Roman", "Times-Bold", size=11)
LETTER = Look(page=letter, size=11)
TYPEWRITER = Look("Courier", "Courier-Bold", size=9, ruled=False)


@dataclass(frozen=True)
class Report:
    """A report to be rendered into submissions/, or into the archive of its hand-in."""

    name: str
    look: Look = PLAIN


REPORTS = {
    "s01": Report("Zukova_HW3.pdf", SERIF),
    "s02": Report("report.pdf"),
    "s03": Report("HW3 report.pdf", SERIF),
    "s04": Report("HW3_report.pdf", LETTER),
    "s05": Report("relatorio.pdf"),
    "s06": Report("report.pdf", LETTER),
    "s07": Report("hw3.pdf", Look(ruled=False)),
    "s08": Report("hw3_osullivan.pdf", SERIF),
    "s09": Report("REPORT.pdf", TYPEWRITER),
    "s11": Report("HW3_Priya/Report_HW3.pdf", LETTER),
    "s12": Report("rapor.pdf"),
    "s13": Report("report.pdf"),
    "s14": Report("report_final_FINAL (2).pdf", TYPEWRITER),
    "s15": Report("informe.pdf", SERIF),
}
PACKED = ("s02", "s04", "s11", "s13")
FROM_A_MAC = "s11"
BROKEN_OFF = "s13"  # the upload ended half-way


def main(root: Path = ROOT) -> None:
    """Write everything below `root`."""
    for path, data in build():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def build() -> Iterator[tuple[Path, bytes]]:
    """(path below the repository, content) of every generated file."""
    for report in sorted((ROOT / "reference").glob("*/report.md")):
        pdf_file = report.relative_to(ROOT).with_suffix(".pdf")
        yield pdf_file, pdf(report.read_text("utf-8"))
    for student, report in REPORTS.items():
        rendered = pdf((SOURCES / student / "report.md").read_text("utf-8"), report.look)
        if student in PACKED:
            yield Path("submissions", f"{student}.zip"), archive(student, report.name, rendered)
        else:
            yield Path("submissions", student, report.name), rendered


# -------------------------------------------------------------- archives


def archive(student: str, report: str, rendered: bytes) -> bytes:
    """The zip of one hand-in. Nothing is compressed: other zlibs would give other bytes."""
    folder = SOURCES / student / "files"
    files = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}
    content = {name: path.read_bytes() for name, path in sorted(files.items())}
    content |= _beside(content, report, rendered)
    if student == FROM_A_MAC:
        content |= {f"__MACOSX/{_hidden(name)}": MAC_JUNK for name in content}
        content["HW3_Priya/.DS_Store"] = b"\0\0\0\1Bud1\0\0"
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_STORED) as file:
        for name, data in content.items():
            entry = zipfile.ZipInfo(name, ZIP_TIME)
            entry.external_attr = 0o644 << 16
            file.writestr(entry, data)
    data = memory.getvalue()
    return data[: len(data) // 2] if student == BROKEN_OFF else data


def _beside(content: dict[str, bytes], report: str, rendered: bytes) -> dict[str, bytes]:
    """The report, in the folder of the code where that has one."""
    top = next(iter(content)).rpartition("/")[0]
    name = report if "/" in report or not top else f"{top}/{report}"
    return {name: rendered}


def _hidden(name: str) -> str:
    folder, slash, file = name.rpartition("/")
    return f"{folder}{slash}._{file}"


# -------------------------------------------------------------- reports


def pdf(text: str, look: Look = PLAIN) -> bytes:
    """Render headings, paragraphs, **bold**, `code`, fenced code and tables of `|` rows.

    ValueError names characters that the built-in fonts do not have.
    """
    lost = sorted({c for c in text if not _in_built_in_fonts(c)})
    if lost:
        raise ValueError(f"the built-in PDF fonts have no {' '.join(lost)}")
    memory = io.BytesIO()
    margins = dict.fromkeys(("leftMargin", "rightMargin", "topMargin", "bottomMargin"), 22 * mm)
    document = SimpleDocTemplate(
        memory, pagesize=look.page, invariant=1, pageCompression=0, title="Home Work 3", **margins
    )
    document.build(list(_flowables(text, look)))
    return memory.getvalue()


def _in_built_in_fonts(char: str) -> bool:
    try:
        char.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True


def _flowables(text: str, look: Look) -> Iterator[Flowable]:
    body = ParagraphStyle("body", fontName=look.font, fontSize=look.size, leading=look.size * 1.35)
    blocks = re.split(r"(?ms)^(```\n.*?^```$|(?:^\|.*?\|$\n?)+)", text)
    for block in blocks:
        if block.startswith("```"):
            code = ParagraphStyle("code", fontName="Courier", fontSize=8.5, leading=10.5)
            yield Preformatted(block.strip("`\n"), code)
            yield Spacer(0, 2 * mm)
        elif block.startswith("|"):
            yield _table(block, look)
            yield Spacer(0, 3 * mm)
        else:
            for line in filter(None, map(str.strip, block.splitlines())):
                yield _line(line, body, look)


def _line(line: str, body: ParagraphStyle, look: Look) -> Flowable:
    marks = len(line) - len(line.lstrip("#"))
    if marks:
        size = look.size + (6 if marks == 1 else 3)
        style = ParagraphStyle(
            "heading",
            fontName=look.bold,
            fontSize=size,
            leading=size * 1.3,
            spaceBefore=3 * mm,
            keepWithNext=1,
            spaceAfter=1.5 * mm,
        )
        return Paragraph(escape(line.lstrip("# ")), style)
    style = ParagraphStyle("paragraph", body, spaceAfter=1.5 * mm)
    marked = re.sub(r"\*\*(.+?)\*\*", rf'<font name="{look.bold}">\1</font>', escape(line))
    return Paragraph(re.sub(r"`(.+?)`", r'<font name="Courier">\1</font>', marked), style)


def _table(block: str, look: Look) -> Table:
    rows = [[c.strip() for c in row.strip("|").split("|")] for row in block.split("\n") if row]
    style = [("FONT", (0, 0), (-1, -1), look.font, look.size)]
    style.append(("FONT", (0, 0), (-1, 0), look.bold, look.size))
    if look.ruled:
        style.append(("GRID", (0, 0), (-1, -1), 0.5, colors.grey))
    return Table(rows, style=TableStyle(style), hAlign="LEFT", spaceBefore=2 * mm)


if __name__ == "__main__":
    main()
