"""Reports that are no PDFs: Word, notebooks, Markdown, plain text, HTML."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from grader.intake.report_reader import read

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'

STYLES = f"""<w:styles {W}>
<w:style w:styleId="Heading1"><w:name w:val="heading 1"/></w:style>
<w:style w:styleId="Mine"><w:name w:val="Minu pealkiri"/><w:basedOn w:val="Heading1"/></w:style>
<w:style w:styleId="Loop"><w:name w:val="Loop"/><w:basedOn w:val="Loop"/></w:style>
<w:style w:styleId="TOC1"><w:name w:val="toc 1"/></w:style>
<w:style w:styleId="Code"><w:name w:val="Source Code"/></w:style>
</w:styles>"""

NUMBERING = f"""<w:numbering {W}>
<w:abstractNum w:abstractNumId="0">
<w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:lvlText w:val="%1."/></w:lvl>
<w:lvl w:ilvl="1"><w:start w:val="1"/><w:numFmt w:val="lowerLetter"/>
<w:lvlText w:val="%1.%2)"/></w:lvl>
</w:abstractNum>
<w:abstractNum w:abstractNumId="1">
<w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="bullet"/><w:lvlText w:val="x"/></w:lvl>
</w:abstractNum>
<w:num w:numId="5"><w:abstractNumId w:val="0"/></w:num>
<w:num w:numId="6"><w:abstractNumId w:val="1"/></w:num>
<w:num w:numId="7"><w:abstractNumId w:val="0"/>
<w:lvlOverride w:ilvl="0"><w:startOverride w:val="1"/></w:lvlOverride></w:num>
</w:numbering>"""


def p(text: str, style: str = "", number: tuple[int, int] | None = None) -> str:
    """A paragraph; `number` is a list's id and the level in it."""
    said = f'<w:pStyle w:val="{style}"/>' if style else ""
    if number:
        said += f'<w:numPr><w:ilvl w:val="{number[1]}"/><w:numId w:val="{number[0]}"/></w:numPr>'
    return f"<w:p><w:pPr>{said}</w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>"


def docx(path: Path, body: str, **parts: str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "word/document.xml", f"<w:document {W}><w:body>{body}</w:body></w:document>"
        )
        archive.writestr("word/styles.xml", parts.get("styles", STYLES))
        archive.writestr("word/numbering.xml", parts.get("numbering", NUMBERING))
    return path


def word(tmp_path: Path, *body: str) -> list[str]:
    found = read(docx(tmp_path / "r.docx", "".join(body)))
    assert found.keys() == {"pages"}
    pages: list[str] = found["pages"]
    return pages


def test_headings_of_word(tmp_path: Path) -> None:
    (page,) = word(
        tmp_path, p("Task 1", "Heading1"), p("3 and 3"), p("Task 2", "Mine"), p("x", "Loop")
    )
    assert page == "# Task 1\n3 and 3\n# Task 2\nx"


def test_numbers_of_lists(tmp_path: Path) -> None:
    (page,) = word(
        tmp_path,
        *(p("Run", number=(5, 0)), p("first", number=(5, 1)), p("second", number=(5, 1))),
        *(p("Answer", number=(5, 0)), p("again", number=(5, 1)), p("point", number=(6, 0))),
        *(p("anew", number=(7, 0)), p("of none", number=(9, 0)), p("last", number=(5, 0))),
    )
    assert page.split("\n") == [
        *("1. Run", "1.a) first", "1.b) second", "2. Answer", "2.a) again", "• point"),
        *("1. anew", "of none", "3. last"),
    ]


def test_tables_of_word_stand_where_they_stood(tmp_path: Path) -> None:
    def row(*cells: str) -> str:
        return f"<w:tr>{''.join(f'<w:tc>{cell}</w:tc>' for cell in cells)}</w:tr>"

    wide = '<w:tcPr><w:gridSpan w:val="2"/></w:tcPr>'
    inner = f"<w:tbl>{row(p('a'), p('b'))}</w:tbl>"
    (page,) = word(
        tmp_path,
        p("before"),
        f"<w:tbl>{row(p('GPUs'), wide + p('Measured'))}{row(p('2'), p('27'), p('12') + p('85'))}"
        f"{row(p('5 | x'), p('28'), inner)}</w:tbl>",
        f"<w:tbl>{row(p('a frame'))}{row(p('of text'))}</w:tbl>",
        p("after"),
    )
    assert page == (
        "before\n| GPUs | Measured | |\n| 2 | 27 | 12 85 |\n| 5 \\| x | 28 | a b |\n"
        "a frame\nof text\nafter"
    )


def test_text_boxes_fallbacks_and_changes(tmp_path: Path) -> None:
    box = f"<w:txbxContent>{p('in a box')}</w:txbxContent>"
    (page,) = word(
        tmp_path,
        p("contents .... 3", "TOC1"),
        f"<w:p><w:r><w:t>text</w:t></w:r><w:r><AlternateContent><Choice>{box}</Choice>"
        f"<Fallback>{box}</Fallback></AlternateContent></w:r></w:p>",
        "<w:p><w:del><w:r><w:delText>gone</w:delText></w:r></w:del>"
        "<w:ins><w:r><w:t>new</w:t></w:r></w:ins><w:r><w:instrText>PAGE</w:instrText></w:r></w:p>",
        "<w:p><w:r><w:t>a</w:t><w:tab/><w:t>b</w:t><w:br/><w:t>c</w:t></w:r></w:p>",
        "<w:p><w:r><w:drawing><blip/></w:drawing></w:r></w:p>",
    )
    assert page == "text\nin a box\nnew\na b\nc\n[picture]"


def test_code_in_word_is_fenced(tmp_path: Path) -> None:
    mono = (
        '<w:p><w:r><w:rPr><w:rFonts w:ascii="Courier New"/></w:rPr><w:t># Task 4</w:t></w:r></w:p>'
    )
    (page,) = word(tmp_path, p("Task 3"), p("x = 1", "Code"), mono, p("why"))
    assert page == "Task 3\n```\nx = 1\n# Task 4\n```\nwhy"


def test_pages_as_word_last_saw_them(tmp_path: Path) -> None:
    broken = "<w:p><w:r><w:lastRenderedPageBreak/><w:t>Task 2</w:t></w:r></w:p>"
    assert word(tmp_path, p("Task 1"), broken, p("x")) == ["Task 1", "Task 2\nx"]


ENTITIES = (
    '<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa">'
    + "".join(
        f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    + f"]><w:document {W}>&i;</w:document>"
)


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        (ENTITIES, "declares XML entities, which Word never does; hand in a PDF"),
        ("<a>" * 100_000, "is nested too deep inside; export it again as PDF"),
        ("<a>" + " " * (31 << 20) + "</a>", "is too large inside; export it again as PDF"),
        (
            "<?xml version='1.0' encoding='UTF--1'?><a/>",
            "is a damaged .docx; export it again, as PDF",
        ),
        ("<a><b></a>", "is a damaged .docx; export it again, as PDF"),
        (f"<w:document {W}></w:document>", "holds no text; hand in the report as PDF"),
        ("", "is not a Word document; hand in a PDF"),
    ],
)
def test_hostile_word_files(tmp_path: Path, document: str, problem: str) -> None:
    with zipfile.ZipFile(tmp_path / "r.docx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", document)
    assert read(tmp_path / "r.docx") == {"problem": f"r.docx {problem}"}


def test_what_is_no_word_file(tmp_path: Path) -> None:
    path = tmp_path / "r.docx"
    path.write_bytes(b"PK\3\4 and no more")
    assert read(path) == {"problem": "r.docx is a damaged .docx; export it again, as PDF"}
    path.write_bytes(b"\xd0\xcf\x11\xe0 of Word 97")
    assert read(path) == {"problem": "r.docx is a damaged .docx; export it again, as PDF"}


def test_a_pdf_by_another_name_is_read(tmp_path: Path) -> None:
    source = Path(__file__).parent / "reports" / "browser.pdf"
    (tmp_path / "r.docx").write_bytes(source.read_bytes())
    assert read(tmp_path / "r.docx") == read(source)


# ---------------------------------------------------------------------- text


def text(tmp_path: Path, content: str | bytes, name: str = "r.md") -> str:
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    (page,) = read(tmp_path / name)["pages"]
    return str(page)


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("| a | b |\n|---|:-:|\n| 1 | 2 |", "| a | b |\n| 1 | 2 |"),
        ("a | b\n--|--\n1 | 2\n\nx | y", "| a | b |\n| 1 | 2 |\n\nx | y"),
        ("+---+---+\n| a | b |\n+===+===+\n| 1 | 2 |\n+---+---+", "| a | b |\n| 1 | 2 |"),
        ("DEPTH\tTime (ms)\n6\t8.1\n12\t16.3", "| DEPTH | Time (ms) |\n| 6 | 8.1 |\n| 12 | 16.3 |"),
        (
            "DEPTH   Time (ms)\n=====   =========\n6       8.1\n12      16.3\nend",
            "| DEPTH | Time (ms) |\n| 6 | 8.1 |\n| 12 | 16.3 |\nend",
        ),
        ("1)  First\n2)  Second\n3)  Third", "1) First\n2) Second\n3) Third"),
        ("Task 1\n======\ntext\n------\nx", "Task 1\ntext\nx"),
        ("text ![a](b.png) more", "text\n[picture]\nmore"),
        ("```python\n# Task 1\n| a | b |\n```\nTask 2", "```\n# Task 1\n| a | b |\n```\nTask 2"),
        ("``` never closed\nTask 2", "``` never closed\nTask 2"),
        ("~ 5 |x| 3", "~ 5 |x| 3"),
    ],
)
def test_markdown_and_text(tmp_path: Path, written: str, found: str) -> None:
    assert text(tmp_path, written) == found


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1257"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    assert text(tmp_path, "Sügavus, õige žanr".encode(encoding), "r.txt") == "Sügavus, õige žanr"


def test_a_page_of_a_learning_platform(tmp_path: Path) -> None:
    page = """<html><head><title>no</title><style>p {}</style></head><body>
    <h2>Task&nbsp;1</h2><p>Q1: 3 &amp; 3<br>layers <b>here</b></p>
    <ol><li>one</li><li>two<ul><li>inner</li></ul></li></ol>
    <table><thead><tr><th>a</th><th>b | c</th></tr></thead>
    <tr><td>1<td><p>2</p><table><tr><td>3</td></tr></table></td></tr></table>
    <table><tr><td>a frame</td></tr></table>
    <pre>x = 1\n  y = 2</pre><script>no()</script><img src=x>after</body></html>"""
    assert text(tmp_path, page, "r.html").replace("\n\n", "\n").split("\n") == [
        *("## Task 1", "Q1: 3 & 3", "layers here", "1. one", "2. two", "• inner"),
        *("| a | b \\| c |", "| 1 | 2 3 |", "a frame", "```", "x = 1", "y = 2", "```"),
        *("[picture]", "after"),
    ]


def book(tmp_path: Path, data: Any) -> dict[str, Any]:
    path = tmp_path / "r.ipynb"
    path.write_text(data if isinstance(data, str) else json.dumps(data), "utf-8")
    return read(path)


def test_a_notebook(tmp_path: Path) -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# Task 1\n", "3 and 3"]},
        {"cell_type": "code", "source": "# Task 9\nprint('```')", "outputs": [{"text": "Task 8"}]},
        {"cell_type": "raw", "source": "| a | b |\n|--|--|\n| 1 | 2 |"},
        {"cell_type": "markdown", "source": 5},
        "no cell",
    ]
    assert book(tmp_path, {"cells": cells})["pages"] == [
        "# Task 1\n3 and 3\n\n```\n# Task 9\nprint(''''')\n```\n\n| a | b |\n| 1 | 2 |"
    ]


def test_a_notebook_of_old(tmp_path: Path) -> None:
    cells = [
        {"cell_type": "heading", "level": 1, "source": "Task 1"},
        {"cell_type": "code", "input": "x"},
    ]
    assert book(tmp_path, {"worksheets": [{"cells": cells}]})["pages"] == [
        "# Task 1\n\n```\nx\n```"
    ]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ("{", "is no notebook that can be read; hand in the report as PDF"),
        ([], "is no notebook that can be read; hand in the report as PDF"),
        ({"cells": {}}, "is no notebook that can be read; hand in the report as PDF"),
        ("[" * 100_000, "is too deep or too large inside; export it again as PDF"),
        (
            {"cells": [{"cell_type": "code", "source": "x"}]},
            "holds no text cells; hand in the report as PDF",
        ),
    ],
)
def test_what_is_no_notebook(tmp_path: Path, data: Any, problem: str) -> None:
    assert book(tmp_path, data) == {"problem": f"r.ipynb {problem}"}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("r.html", "<table><tr><td>" * 100_000 + "x"),
        ("r.html", "<ol><li>" * 100_000 + "x"),
        ("r.html", "<" * 1_000_000 + "x"),
        ("r.html", "<a" * 500_000 + "x"),
        ("r.html", "</" * 500_000 + "x"),
        ("r.html", "<!--" * 250_000 + "x"),
        ("r.html", "<![" * 250_000 + "x"),
        ("r.html", "<a b='" * 250_000 + "x"),
        ("r.html", "<a " + "b=c " * 250_000 + ">x"),
        ("r.html", "<script>" * 100_000 + "x"),
        ("r.html", "&" * 1_000_000 + "x"),
        ("r.md", "|" * 1_000_000),
        ("r.md", "| a \n" * 200_000),
        ("r.md", "![" * 300_000),
        ("r.md", "```\n" * 200_001),
        ("r.txt", "a  b\n" * 200_000),
        ("r.txt", "-" * 1_000_000),
        ("r.txt", "x" * 1_000_000),
    ],
)
def test_hostile_text_is_read_to_a_limit(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    found = read(tmp_path / name)
    assert sum(map(len, found.get("pages", []))) <= 300_000
