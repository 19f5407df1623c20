"""Pages of PDFs, drawn here: what becomes a table and what does not, and in which order."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.pdfgen import canvas
from reportlab.platypus import (
    BalancedColumns,
    Flowable,
    PageBreak,
    Paragraph,
    Preformatted,
    SimpleDocTemplate,
    Spacer,
    Table,
)
from reportlab.platypus import (
    Image as Picture,
)

from grader.intake.report_reader import read

STYLES = getSampleStyleSheet()
PROSE = (
    "Every layer needs the output of the layer before it, so execution is sequential: while one "
    "GPU works the other waits. A second GPU adds memory for more layers, not speed. "
)
ROWS = [["DEPTH", "Step time (ms)"], ["6", "8.1"], ["12", "16.3"], ["24", "33.0"]]
WRITTEN = "| DEPTH | Step time (ms) |\n| 6 | 8.1 |\n| 12 | 16.3 |\n| 24 | 33.0 |"

BOX = ("BOX", (0, 0), (-1, -1), 1, "black")
AT_THE_END = ("LINEBELOW", (0, -1), (-1, -1), 1, "black")
UNDER_HEAD = ("LINEBELOW", (0, 0), (-1, 0), 0.5, "black")


def text_of(path: Path) -> str:
    return "\n".join(read(path)["pages"])


def flow(path: Path, *parts: Flowable | str, **options: Any) -> dict[str, Any]:
    flowables = [Paragraph(p, STYLES["Normal"]) if isinstance(p, str) else p for p in parts]
    SimpleDocTemplate(str(path), pagesize=A4, invariant=1, **options).build(flowables)
    return read(path)


@pytest.mark.parametrize(
    "style",
    [
        [("GRID", (0, 0), (-1, -1), 0.5, colors.black)],
        [("INNERGRID", (0, 0), (-1, -1), 0.5, colors.black)],
        [("LINEABOVE", (0, 0), (-1, 0), 1, "black"), UNDER_HEAD, AT_THE_END],
        [("LINEBELOW", (0, 0), (-1, -1), 0.5, colors.grey)],
        [BOX, ("LINEAFTER", (0, 0), (0, -1), 1, "black"), UNDER_HEAD],
        [("ROWBACKGROUNDS", (0, 0), (-1, -1), [colors.lightgrey, colors.white])],
        [],
    ],
    ids=["grid", "inner", "booktabs", "below", "one line down", "stripes", "none"],
)  # fmt: skip
def test_tables_with_all_sorts_of_rules(tmp_path: Path, style: list[Any]) -> None:
    found = flow(tmp_path / "r.pdf", PROSE * 2, Table(ROWS, style=style), PROSE * 2)
    (page,) = found["pages"]
    assert WRITTEN in page
    assert page.count("|") == WRITTEN.count("|")
    assert page.replace(WRITTEN, "").replace("\n", " ").split() == (PROSE * 4).split()


def test_cells_of_several_lines_are_one(tmp_path: Path) -> None:
    def cell(text: str) -> Paragraph:
        return Paragraph(text, STYLES["Normal"])

    rows = [
        [cell("Configuration of the run"), cell("Peak memory per GPU (MiB)")],
        [cell("2 GPUs"), cell("1282.3, 1285.3")],
        [cell("5 GPUs"), cell("514.1, 515.1, 515.1, 515.1, 517.1")],
    ]
    grid = [("GRID", (0, 0), (-1, -1), 0.5, colors.black)]
    found = flow(tmp_path / "r.pdf", Table(rows, colWidths=[80, 70], style=grid))
    assert found["pages"] == [
        "| Configuration of the run | Peak memory per GPU (MiB) |\n"
        "| 2 GPUs | 1282.3, 1285.3 |\n"
        "| 5 GPUs | 514.1, 515.1, 515.1, 515.1, 517.1 |"
    ]


def test_cells_over_several_columns_and_rows(tmp_path: Path) -> None:
    rows = [["GPUs", "Measured", ""], ["", "time (ms)", "memory"], ["2", "27", "1285"]]
    style = [
        ("GRID", (0, 0), (-1, -1), 0.5, colors.black),
        ("SPAN", (1, 0), (2, 0)),
        ("SPAN", (0, 0), (0, 1)),
    ]
    found = flow(tmp_path / "r.pdf", Table(rows, style=style))
    assert found["pages"] == ["| GPUs | Measured | |\n| | time (ms) | memory |\n| 2 | 27 | 1285 |"]


def test_a_table_over_two_pages_is_two(tmp_path: Path) -> None:
    rows = [["DEPTH", "Time (ms)"], *([str(n), f"{n}.5"] for n in range(70))]
    grid = [("GRID", (0, 0), (-1, -1), 0.5, colors.black)]
    pages = flow(tmp_path / "r.pdf", Table(rows, style=grid))["pages"]
    assert len(pages) == 2
    assert all(line.startswith("| ") for page in pages for line in page.split("\n"))
    assert sum(page.count("\n") + 1 for page in pages) == 71


def test_prose_is_no_table(tmp_path: Path) -> None:
    justified = STYLES["Normal"].clone("justified", alignment=4)
    parts = [
        Paragraph(PROSE * 3, justified),
        *(f"{n}) {PROSE}" for n in range(1, 4)),
        *(f"<bullet>{n}.</bullet>{n} layers on GPU {n}, {n}.5 ms" for n in range(1, 5)),
        Preformatted("x = 1      # one\ny = 2      # two\nz = 3      # three", STYLES["Code"]),
        Table(
            [[Paragraph(PROSE, STYLES["Normal"])]], style=[("BOX", (0, 0), (-1, -1), 1, "black")]
        ),
    ]
    (page,) = flow(tmp_path / "r.pdf", *parts)["pages"]
    assert "|" not in page


@pytest.mark.parametrize("ruled", [True, False])
def test_columns_are_read_one_after_the_other(tmp_path: Path, ruled: bool) -> None:
    numbered = [f"Sentence {n}. {PROSE}" for n in range(12)]
    style = [("GRID", (0, 0), (-1, -1), 0.5, colors.black)] if ruled else []
    parts = [Paragraph(p, STYLES["Normal"]) for p in numbered]
    parts.insert(4, Table(ROWS, style=style))
    (page,) = flow(tmp_path / "r.pdf", BalancedColumns(parts, nCols=2))["pages"]
    assert WRITTEN in page
    words = page.replace(WRITTEN, "").split()
    assert words == " ".join(numbered).split()


def test_an_order_that_is_none_is_guessed_and_told(tmp_path: Path) -> None:
    sheet = canvas.Canvas(str(tmp_path / "r.pdf"), pagesize=A4, invariant=1)
    for n in (7, 2, 9, 0, 5, 3, 8, 1, 6, 4):
        sheet.drawString(72, 800 - 20 * n, f"line {n} of the page")
    sheet.save()
    found = read(tmp_path / "r.pdf")
    assert found["pages"] == ["\n".join(f"line {n} of the page" for n in range(10))]
    assert found["problem"] == "r.pdf: page 1 may have been read in a wrong order"


def in_frame(left: str, right: str) -> Callable[[canvas.Canvas, Any], None]:
    def draw(sheet: canvas.Canvas, document: Any) -> None:
        sheet.drawString(72, 815, left)
        sheet.drawString(72, 30, right.format(n=document.page))

    return draw


@pytest.mark.parametrize(
    ("header", "footer"),
    [
        ("Parallelism, Home Work 3", "{n}"),
        ("Õnne Žukova", "Page {n} of 3"),
        ("Home Work 3", "Õnne Žukova - {n}"),
        ("", "- {n} -"),
    ],
)
def test_headers_and_footers_are_dropped(tmp_path: Path, header: str, footer: str) -> None:
    draw = in_frame(header, footer)
    parts = [
        part
        for n in range(1, 4)
        for part in (
            Paragraph(f"Task {n}", STYLES["Normal"]),
            Paragraph(PROSE, STYLES["Normal"]),
            PageBreak(),
        )
    ]
    path = tmp_path / "r.pdf"
    SimpleDocTemplate(str(path), pagesize=A4, topMargin=40).build(
        parts, onFirstPage=draw, onLaterPages=draw
    )
    for n, page in enumerate(read(path)["pages"], 1):
        assert page.replace("\n", " ").split() == f"Task {n} {PROSE}".split()


def test_headings_at_the_top_of_pages_stay(tmp_path: Path) -> None:
    sheet = canvas.Canvas(str(tmp_path / "r.pdf"), pagesize=A4, invariant=1)
    for n in range(1, 6):
        sheet.drawString(72, 800, f"Task {n}")
        sheet.drawString(72, 780, "Answer:")
        sheet.drawString(72, 760, f"words on {n}")
        sheet.showPage()
    sheet.save()
    assert read(tmp_path / "r.pdf")["pages"] == [
        f"Task {n}\nAnswer:\nwords on {n}" for n in range(1, 6)
    ]


def picture(tmp_path: Path) -> Path:
    path = tmp_path / "picture.png"
    Image.new("RGB", (300, 200), "navy").save(path)
    return path


def test_a_picture_is_named_where_it_stands(tmp_path: Path) -> None:
    shown = Picture(str(picture(tmp_path)), 200, 130)
    found = flow(tmp_path / "r.pdf", PROSE, "Task 2", Spacer(1, 5), shown, "Task 3", PROSE)
    (page,) = found["pages"]
    assert "Task 2\n[picture]\nTask 3" in page
    assert found.keys() == {"pages"}


def test_pages_of_pictures_are_for_a_person(tmp_path: Path) -> None:
    shown = Picture(str(picture(tmp_path)), 400, 500)
    found = flow(
        tmp_path / "r.pdf", "Task 1", PROSE, PageBreak(), "Task 2", shown, PageBreak(), shown
    )
    assert found["to_see"] == [2, 3]
    assert found["problem"] == ("r.pdf: page 3 holds no text (a picture?); page 2 is a picture")


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_turned_pages_are_read_as_they_are_shown(tmp_path: Path, turn: int) -> None:
    sheet = canvas.Canvas(str(tmp_path / "r.pdf"), pagesize=A4, invariant=1)
    width, height = A4
    sheet.setPageRotation(turn)
    place = {90: (width, 0, 90), 180: (width, height, 180), 270: (0, height, 270)}[turn]
    sheet.translate(*place[:2])
    sheet.rotate(place[2])
    top = (width if turn != 180 else height) - 100
    for n, (depth, step) in enumerate(ROWS):
        sheet.drawString(72, top - 16 * n, depth)
        sheet.drawString(160, top - 16 * n, step)
    sheet.save()
    assert text_of(tmp_path / "r.pdf") == WRITTEN


def test_words_that_stand_on_end_come_last(tmp_path: Path) -> None:
    sheet = canvas.Canvas(str(tmp_path / "r.pdf"), pagesize=A4, invariant=1)
    sheet.saveState()
    sheet.rotate(90)
    sheet.drawString(400, -40, "milliseconds")
    sheet.restoreState()
    sheet.drawString(72, 700, "Task 1")
    sheet.save()
    assert text_of(tmp_path / "r.pdf") == "Task 1\nmilliseconds"
