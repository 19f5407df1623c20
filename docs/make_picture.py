"""`python docs/make_picture.py`: grades one hand-in of the demo class and draws docs/report.png.

The picture in the README is a real report; this is how it is made.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pypdfium2
from PIL import Image

HERE = Path(__file__).parent
HAND_IN = "s04.zip"
SCALE = 1.3


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "class")
        folder.mkdir()
        for name in (HAND_IN, "class.toml", "roster.csv"):
            shutil.copy(HERE.parent / "submissions" / name, folder)
        out = Path(scratch, "out")
        subprocess.run([sys.executable, "-m", "grader.cli", folder, "--out", out], check=True)
        report = out / Path(HAND_IN).stem / "report.pdf"
        with pypdfium2.PdfDocument(report) as document:
            pages = [page.render(scale=SCALE).to_pil() for page in document]
    sheet = Image.new("RGB", (sum(p.width for p in pages), pages[0].height), "white")
    left = 0
    for page in pages:
        sheet.paste(page, (left, 0))
        left += page.width
    sheet.convert("P", palette=Image.Palette.ADAPTIVE, colors=128).save(
        HERE / "report.png", optimize=True
    )


if __name__ == "__main__":
    main()
