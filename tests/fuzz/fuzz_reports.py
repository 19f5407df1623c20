"""Reads reports that were damaged at random: a reader must end with an answer, and soon.

    python tests/fuzz/fuzz_reports.py 20000

Each batch is read by a process with the limits of the sandbox's; one that dies or hangs is told
with the number of its input, which `--only NUMBER` makes and reads again. The same seed makes
the same inputs.
"""

from __future__ import annotations

import io
import json
import random
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import batches
from damage import damaged
from reportlab.pdfgen import canvas

REPORTS = Path(__file__).parents[1] / "intake" / "reports"

# ---------------------------------------------------------------------- inputs


def seeds() -> list[tuple[str, bytes]]:
    """Whole reports: those of the tests, and two whose insides are not compressed."""
    files = sorted(p for p in REPORTS.iterdir() if p.suffix not in (".py", ".tex"))
    found = [(path.suffix, path.read_bytes()) for path in files]
    return [*found, *[(".pdf", _plain_pdf())] * 6]


def _plain_pdf() -> bytes:
    into = io.BytesIO()
    sheet = canvas.Canvas(into, pageCompression=0, invariant=1)
    for page in range(2):
        sheet.drawString(72, 800, f"Task {page + 1}")
        sheet.grid([72, 150, 250], [700, 720, 740, 760])
        for row in range(3):
            sheet.drawString(80, 745 - 20 * row, f"{6 * row}")
            sheet.drawString(160, 745 - 20 * row, f"{8.1 * row} ms")
        sheet.drawString(72, 600, "Answer: the layers run one after another.")
        sheet.showPage()
    sheet.save()
    return into.getvalue()


def damaged_report(number: int, seed: int, whole: list[tuple[str, bytes]]) -> tuple[str, bytes]:
    """Input `number`: one of the reports, damaged."""
    chance = random.Random(f"{seed} {number}")
    ending, content = chance.choice(whole)
    if ending == ".docx" and chance.random() < 0.9:
        return ending, _damaged_parts(chance, content)
    other = chance.choice(whole)[1]
    return ending, damaged(chance, content, other)


def _damaged_parts(chance: random.Random, content: bytes) -> bytes:
    """Damage within the parts, so that the zip itself stays whole."""
    into = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(into, "w") as target:
        for name in source.namelist():
            part = source.read(name)
            if name.startswith("word/") and chance.random() < 0.5:
                part = damaged(chance, part, part)
            target.writestr(name, part)
    return into.getvalue()


# ---------------------------------------------------------------------- reading


@contextmanager
def trying(
    seed: int,
) -> Iterator[tuple[Callable[[int], tuple[str, bytes]], Callable[[tuple[str, bytes]], bool]]]:
    """See `batches`."""
    from grader.intake import find_passage, tables_in
    from grader.intake.report_reader import read
    from grader.records import Report

    whole = seeds()
    with tempfile.TemporaryDirectory() as scratch:

        def attempt(made: tuple[str, bytes]) -> bool:
            ending, content = made
            path = Path(scratch) / f"report{ending}"
            path.write_bytes(content)
            answer = read(path)
            json.dumps(answer)
            if not answer or answer.keys() - {"pages", "to_see", "problem"}:
                raise ValueError(f"unexpected answer: {answer.keys()}")
            report = Report("r", tuple(answer.get("pages", ())))
            for where in (["Task 1", "Q1"], ["Task 2", "Table"], ["Task 5", "Answer"]):
                passage = find_passage(report, where)
                tables_in(passage.text if passage else report.text)
            return bool(report.pages)

        yield lambda number: damaged_report(number, seed, whole), attempt


if __name__ == "__main__":
    batches.main(__file__, __doc__, trying)
