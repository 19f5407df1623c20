"""Makes the reports of this folder from `reference/hw3/report.md`, `estonian.md` and `latex.tex`.

    python tests/intake/reports/make_reports.py

Needs LibreOffice, Chromium, pdfLaTeX and, for the scan, Pillow: what students export with. The
answers are the same in all of them; how they come out as PDF is not, which is what the tests ask.
A run changes the dates inside, so commit only what has been made anew for a reason.
"""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pypdfium2

HERE = Path(__file__).parent
SOURCE = HERE.parents[2] / "reference" / "hw3" / "report.md"

STYLE = """
body { font-family: 'Liberation Sans', sans-serif; font-size: 11pt }
table { border-collapse: collapse } pre { background: #f4f4f4; font-size: 9pt }
"""
RULED = "td, th { border: 1px solid #444; padding: 3px 8px }"
NARROW = ""  # little space between columns
UNRULED = "td, th { padding: 3px 16px 3px 0; text-align: left }"


def as_html(text: str, tables: str) -> str:
    """The page of a report in the small Markdown that these are written in."""
    parts: list[str] = []
    for block in re.split(r"(```.*?```|(?:^\|[^\n]*\n)+)", text, flags=re.DOTALL | re.MULTILINE):
        if block.startswith("```"):
            parts.append(f"<pre>{html.escape(block[3:-3].strip())}</pre>")
        elif block.startswith("|"):
            rows = "".join(map(_row, enumerate(block.splitlines())))
            border = int(tables == RULED)
            parts.append(f"<table border={border} cellpadding=3>{rows}</table>")
        else:
            parts += map(_line, filter(str.strip, block.split("\n")))
    body = "\n".join(parts)
    return f"<html><head><meta charset=utf-8><style>{STYLE}{tables}</style></head>{body}</html>"


def _row(numbered: tuple[int, str]) -> str:
    tag = "td" if numbered[0] else "th"
    cells = numbered[1].strip("| \n").split("|")
    return f"<tr>{''.join(f'<{tag}>{html.escape(c.strip())}</{tag}>' for c in cells)}</tr>"


def _line(line: str) -> str:
    text = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", html.escape(line, quote=False))
    text = re.sub(r"`(.+?)`", r"<code>\1</code>", text)
    level = len(line) - len(line.lstrip("#"))
    return f"<h{level}>{text[level:].strip()}</h{level}>" if level else f"<p>{text}</p>"


def as_notebook(text: str) -> str:
    """The same as cells: text in Markdown cells, the code of Task 3 in a code cell."""
    cells = []
    for index, part in enumerate(text.split("```")):
        source = part.strip("\n").splitlines(keepends=True)
        kind: dict[str, object] = {"cell_type": "markdown", "metadata": {}, "source": source}
        if index % 2:
            kind |= {"cell_type": "code", "outputs": [], "execution_count": None}
        cells.append(kind)
    book = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(book, indent=1, ensure_ascii=False) + "\n"


def _run(*command: str, cwd: Path) -> None:
    subprocess.run(command, cwd=cwd, check=True, capture_output=True, timeout=300)


def _office(source: Path, form: str, folder: Path) -> Path:
    convert = ["soffice", "--headless", f"-env:UserInstallation=file://{folder}/profile"]
    infilter = ["--infilter=HTML (StarWriter)"] if source.suffix == ".html" else []
    _run(*convert, *infilter, "--convert-to", form, str(source), cwd=folder)
    return folder / f"{source.stem}.{form.split(':', maxsplit=1)[0]}"


def _browser(page: Path, folder: Path) -> Path:
    made = folder / "browser.pdf"
    _run(
        *("chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--print-to-pdf={made}"),
        *(f"--user-data-dir={folder}/chromium", str(page)),
        cwd=folder,
    )
    return made


def _latex(name: str, options: str, encoding: str, folder: Path) -> Path:
    source = folder / f"{name}.tex"
    text = (HERE / "latex.tex").read_text("utf-8")
    source.write_text(text.replace("%OPTIONS%", options).replace("%ENCODING%", encoding))
    for _ in range(2):  # the second time for the table of contents
        _run("pdflatex", "-interaction=nonstopmode", source.name, cwd=folder)
    return source.with_suffix(".pdf")


def _scan(report: Path, made: Path) -> None:
    """Every page as a photograph of itself."""
    with pypdfium2.PdfDocument(report) as document:
        pages = [page.render(scale=0.6).to_pil().convert("L") for page in document]
    pages[0].save(made, "PDF", save_all=True, append_images=pages[1:], quality=20)


def main() -> None:
    """Make them all anew."""
    text = SOURCE.read_text("utf-8")
    estonian = (HERE / "estonian.md").read_text("utf-8")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        ruled, unruled = folder / "ruled.html", folder / "unruled.html"
        ruled.write_text(as_html(text, RULED), "utf-8")
        unruled.write_text(as_html(text, UNRULED), "utf-8")
        in_estonian = folder / "estonian.html"
        in_estonian.write_text(as_html(estonian, NARROW), "utf-8")
        word = _office(ruled, "docx:MS Word 2007 XML", folder)
        made = {
            "word.docx": word,
            "libreoffice.pdf": _office(word, "pdf", folder),
            "browser.pdf": _browser(ruled, folder),
            "latex.pdf": _latex("latex", "oneside", "", folder),
            # bitmap fonts, as where LaTeX lacks others: no letter has a name in the PDF
            "two_columns.pdf": _latex(
                "two_columns", "twocolumn", r"\usepackage[T1]{fontenc}", folder
            ),
            "estonian.pdf": _office(_office(in_estonian, "odt", folder), "pdf", folder),
        }
        for name, file in made.items():
            shutil.copy(file, HERE / name)
        shutil.copy(_browser(unruled, folder), HERE / "unruled.pdf")
        shutil.copy(unruled, HERE / "page.html")
    _scan(HERE / "latex.pdf", HERE / "scan.pdf")
    (HERE / "notebook.ipynb").write_text(as_notebook(text), "utf-8")


if __name__ == "__main__":
    main()
