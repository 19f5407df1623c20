"""The shipped typefaces, and which characters they can print rightly."""

from __future__ import annotations

import unicodedata
from functools import cache, lru_cache
from pathlib import Path

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

SANS = "Report"
BOLD = "Report-Bold"
MONO = "Report-Mono"
HAN = "Report-Han"
HANGUL = "Report-Hangul"

_FILES = {
    SANS: "DejaVuSans.ttf",
    BOLD: "DejaVuSans-Bold.ttf",
    MONO: "DejaVuSansMono.ttf",
    HAN: "DroidSansFallbackFull.ttf",
    HANGUL: "NanumSquareR.ttf",
}
_FALLBACKS = (SANS, HAN, HANGUL)
_RIGHT_TO_LEFT = {"R", "AL", "AN"}
_MARKS = {"Mn", "Mc", "Me"}


@lru_cache(maxsize=4096)
def face_for(char: str, preferred: str = SANS) -> str | None:
    """The face that prints `char`, or None where no shipped face prints it rightly."""
    if not _simple(char):
        return None
    return next((face for face in (preferred, *_FALLBACKS) if ord(char) in _glyphs(face)), None)


def _simple(char: str) -> bool:
    """Whether a glyph per character, left to right, is right for this script.

    DejaVu has Arabic, Hebrew and Lao glyphs, but reportlab neither shapes nor reorders them.
    """
    category = unicodedata.category(char)
    if category in _MARKS:
        return 0x300 <= ord(char) <= 0x36F  # the accents of Latin, Greek and Cyrillic
    return category != "Co" and unicodedata.bidirectional(char) not in _RIGHT_TO_LEFT


@cache
def _glyphs(face: str) -> frozenset[int]:
    """Code points of a face. Loads it, so the big fallbacks cost nothing until needed."""
    font = TTFont(face, str(Path(__file__).parent / "fonts" / _FILES[face]))
    pdfmetrics.registerFont(font)
    return frozenset(font.face.charToGlyph)


@cache
def register() -> None:
    """Make the faces that every report uses known to reportlab."""
    for face in (SANS, BOLD, MONO):
        _glyphs(face)
