"""Reads Jupyter notebooks: text cells in order, code cells as code."""

from __future__ import annotations

import json
from typing import Any

from grader.intake.reading.document import Document, UnreadableError, document_of
from grader.intake.reading.markdown import as_text, decoded
from grader.intake.report_text import clean

_DAMAGED = "is no notebook that can be read; hand in the report as PDF"


def read_notebook(content: bytes) -> Document:
    """Read the cells of a notebook; UnreadableError where there is no text in it."""
    try:
        book = json.loads(decoded(content))
    except ValueError as error:
        raise UnreadableError(_DAMAGED) from error
    cells = _cells(book)
    if not any(kind != "code" and source.strip() for kind, source in cells):
        raise UnreadableError("holds no text cells; hand in the report as PDF")
    parts = [f"```\n{text}\n```" if kind == "code" else text for kind, text in cells if text]
    return document_of([clean(as_text("\n\n".join(parts)))])


def _cells(book: Any) -> list[tuple[str, str]]:
    """Kind and text of each cell, those of format 3 too."""
    if not isinstance(book, dict):
        raise UnreadableError(_DAMAGED)
    sheets = book.get("worksheets")
    holders = [book, *sheets] if isinstance(sheets, list) else [book]
    cells = [
        cell
        for holder in holders
        if isinstance(holder, dict) and isinstance(holder.get("cells"), list)
        for cell in holder["cells"]
        if isinstance(cell, dict)
    ]
    if not cells:
        raise UnreadableError(_DAMAGED)
    return [_cell(cell) for cell in cells]


def _cell(cell: dict[str, Any]) -> tuple[str, str]:
    source = cell.get("source", cell.get("input", ""))
    lines = source if isinstance(source, list) else [source]
    text = "".join(line for line in lines if isinstance(line, str)).strip("\n")
    kind = "code" if cell.get("cell_type") == "code" else "text"
    if kind == "code":
        text = text.replace("```", "'''")  # would end the fence
    elif cell.get("cell_type") == "heading":
        text = f"# {text}"
    return kind, text
