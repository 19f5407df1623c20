"""One page of a PDF as PDFium sees it: words, rules and pictures, each with its place.

Places are in points from the page's top left corner, as the page is shown (turned pages are
turned back). Only PDFium is asked: text and rules that come from one reader fit together.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import pypdfium2
from pypdfium2 import raw

MAX_OBJECTS = 20_000  # of one page; plots with more points than that are no tables
_MAX_DEPTH = 6  # of forms within forms

#: Ligatures of TeX's two encodings, where a bitmap font gives no letter but its bare code.
_TEX = {11: "ff", 12: "fi", 13: "fl", 14: "ffi", 15: "ffl"}
_TEX |= {code + 16: text for code, text in _TEX.items()}
_SOFT_HYPHENS = {0x02, 0xAD, 0xFFFE}
_SPACES = {0x20, 0xA0, 0x09, 0x0A, 0x0D, 0x3000} | set(range(0x2000, 0x200B))


@dataclass(slots=True)
class Box:
    x0: float
    y0: float
    x1: float
    y1: float


@dataclass(slots=True)
class Word(Box):
    """Letters between two spaces.

    `base` is the line they stand on, `size` that of the font, `step` the way from where the
    first of them begins to where the last one does.
    """

    text: str
    base: float
    size: float
    step: float = 0.0


@dataclass
class PdfPage:
    width: float
    height: float
    words: list[Word] = field(default_factory=list)  # in the order in which they are drawn
    turned: list[str] = field(default_factory=list)  # words that stand on end
    rules: list[Box] = field(default_factory=list)  # straight lines, along an edge of the page
    pictures: list[Box] = field(default_factory=list)
    characters: int = 0


def look_at(document: pypdfium2.PdfDocument, index: int, room: int) -> PdfPage:
    """What stands on a page; no more than `room` characters of it."""
    page = document[index]
    text = page.get_textpage()
    try:
        place = _Place.of(page)
        found = PdfPage(place.width, place.height)
        _read_words(found, text, place, room)
        _read_objects(found, page, place)
        return found
    finally:
        text.close()
        page.close()


@dataclass
class _Place:
    """From PDFium's coordinates, which start at the bottom, to those of the page as shown."""

    left: float
    bottom: float
    width: float
    height: float
    turn: int  # quarter turns clockwise

    @classmethod
    def of(cls, page: pypdfium2.PdfPage) -> _Place:
        left, bottom, *_ = page.get_bbox()
        width, height = page.get_size()
        return cls(left, bottom, width, height, page.get_rotation() // 90 % 4)

    def point(self, x: float, y: float) -> tuple[float, float]:
        x, y = x - self.left, y - self.bottom
        if self.turn == 0:
            return x, self.height - y
        if self.turn == 1:
            return y, x
        if self.turn == 2:
            return self.width - x, y
        return self.width - y, self.height - x

    def box(self, x0: float, y0: float, x1: float, y1: float) -> Box:
        (a, b), (c, d) = self.point(x0, y0), self.point(x1, y1)
        return Box(min(a, c), min(b, d), max(a, c), max(b, d))


# ---------------------------------------------------------------------- words


def _read_words(found: PdfPage, text: pypdfium2.PdfTextPage, place: _Place, room: int) -> None:
    count = min(raw.FPDFText_CountChars(text), room)
    found.characters = max(count, 0)
    rectangle, x, y = raw.FS_RECTF(), ctypes.c_double(), ctypes.c_double()
    word: Word | None = None
    on_end = ""
    last = (0.0, 0.0)
    start = 0.0
    for index in range(count):
        code = raw.FPDFText_GetUnicode(text, index)
        letter = _letter(text, index, code)
        if letter == " ":
            word = None
            on_end = _kept(found.turned, on_end)
        if letter in ("", " "):
            continue
        if _stands_on_end(text, index, place):
            word = None
            on_end += letter
            continue
        raw.FPDFText_GetLooseCharBox(text, index, rectangle)
        raw.FPDFText_GetCharOrigin(text, index, x, y)
        box = place.box(rectangle.left, rectangle.bottom, rectangle.right, rectangle.top)
        begin, base = place.point(x.value, y.value)
        size = _size(text, index, box)
        # PDFium spells a ligature out, and all its letters have the place of the whole
        same_place = (box.x0, box.x1) == last
        last = box.x0, box.x1
        if word is not None and (same_place or _follows(word, box, base)):
            word.text += letter
            word.x1 = max(word.x1, box.x1)
            word.step = begin - start
            word.y0, word.y1 = min(word.y0, box.y0), max(word.y1, box.y1)
        else:
            word = Word(box.x0, box.y0, box.x1, box.y1, letter, base, size)
            found.words.append(word)
            start = begin
    _kept(found.turned, on_end)


def _letter(text: pypdfium2.PdfTextPage, index: int, code: int) -> str:
    if code in _SOFT_HYPHENS or raw.FPDFText_IsHyphen(text, index) == 1:
        return "\u00ad"
    if code in _TEX and raw.FPDFText_HasUnicodeMapError(text, index) == 1:
        return _TEX[code]
    if code in _SPACES:
        return " "
    if code < 0x20 or 0xD800 <= code < 0xE000 or code > 0x10FFFF:
        return ""
    return chr(code)


def _size(text: pypdfium2.PdfTextPage, index: int, box: Box) -> float:
    """The font's size on the page: PDFs may state another, and scale."""
    matrix = raw.FS_MATRIX()
    if not raw.FPDFText_GetMatrix(text, index, matrix):
        return max(box.y1 - box.y0, 4.0)
    size: float = raw.FPDFText_GetFontSize(text, index) * math.hypot(matrix.c, matrix.d)
    return min(max(size, 2.0), 200.0)


def _stands_on_end(text: pypdfium2.PdfTextPage, index: int, place: _Place) -> bool:
    angle: float = raw.FPDFText_GetCharAngle(text, index)
    if angle < 0:
        return False
    turned = (angle + place.turn * math.pi / 2) % math.pi  # upside down is read, if nothing else
    return math.pi / 8 < turned < math.pi * 7 / 8


def _follows(word: Word, box: Box, base: float) -> bool:
    """Whether a letter goes on with the word before it; an exponent does."""
    return abs(base - word.base) < 0.6 * word.size and -word.size < box.x0 - word.x1 < word.size / 3


def _kept(words: list[str], word: str) -> str:
    if word:
        words.append(word)
    return ""


# ---------------------------------------------------------------------- rules and pictures


def _read_objects(found: PdfPage, page: pypdfium2.PdfPage, place: _Place) -> None:
    left = MAX_OBJECTS
    for thing, matrix in _objects(page):
        left -= 1
        kind = raw.FPDFPageObj_GetType(thing)
        if kind == raw.FPDF_PAGEOBJ_IMAGE:
            corners = [matrix.on(x, y) for x, y in ((0, 0), (1, 1), (0, 1), (1, 0))]
            xs, ys = [x for x, _ in corners], [y for _, y in corners]
            found.pictures.append(place.box(min(xs), min(ys), max(xs), max(ys)))
        elif kind == raw.FPDF_PAGEOBJ_PATH:
            left -= raw.FPDFPath_CountSegments(thing)
            if left > 0:
                found.rules += _rules(thing, matrix, place)
        if left <= 0:
            return


@dataclass(frozen=True, slots=True)
class _Matrix:
    a: float = 1
    b: float = 0
    c: float = 0
    d: float = 1
    e: float = 0
    f: float = 0

    def on(self, x: float, y: float) -> tuple[float, float]:
        return self.a * x + self.c * y + self.e, self.b * x + self.d * y + self.f

    def after(self, first: _Matrix) -> _Matrix:
        """Both, `first` first."""
        a, b = self.a * first.a + self.c * first.b, self.b * first.a + self.d * first.b
        c, d = self.a * first.c + self.c * first.d, self.b * first.c + self.d * first.d
        return _Matrix(a, b, c, d, *self.on(first.e, first.f))


def _objects(page: pypdfium2.PdfPage) -> Iterator[tuple[object, _Matrix]]:
    """Every object with the matrix that brings it onto the page, those in forms too."""
    count = raw.FPDFPage_CountObjects(page)
    tops = (raw.FPDFPage_GetObject(page, n) for n in range(min(count, MAX_OBJECTS)))
    waiting: list[tuple[Iterator[object], _Matrix, int]] = [(tops, _Matrix(), 0)]
    while waiting:
        things, outer, depth = waiting[-1]
        thing = next(things, None)
        if thing is None:
            waiting.pop()
            continue
        matrix = outer.after(_matrix_of(thing))
        yield thing, matrix
        if raw.FPDFPageObj_GetType(thing) == raw.FPDF_PAGEOBJ_FORM and depth < _MAX_DEPTH:
            waiting.append((_parts(thing), matrix, depth + 1))


def _parts(form: object) -> Iterator[object]:
    inside = raw.FPDFFormObj_CountObjects(form)
    return (raw.FPDFFormObj_GetObject(form, n) for n in range(min(inside, MAX_OBJECTS)))


def _matrix_of(thing: object) -> _Matrix:
    given = raw.FS_MATRIX()
    if not raw.FPDFPageObj_GetMatrix(thing, given):
        return _Matrix()
    return _Matrix(given.a, given.b, given.c, given.d, given.e, given.f)


def _rules(path: object, matrix: _Matrix, place: _Place) -> Iterator[Box]:
    """The parts of a path that run straight along an edge of the page."""
    x, y = ctypes.c_float(), ctypes.c_float()
    start = at = (0.0, 0.0)
    for index in range(raw.FPDFPath_CountSegments(path)):
        segment = raw.FPDFPath_GetPathSegment(path, index)
        if not segment or not raw.FPDFPathSegment_GetPoint(segment, x, y):
            continue
        kind = raw.FPDFPathSegment_GetType(segment)
        point = place.point(*matrix.on(x.value, y.value))
        if kind == raw.FPDF_SEGMENT_MOVETO:
            start = point
        elif kind == raw.FPDF_SEGMENT_LINETO:
            yield from _straight(at, point)
        at = point
        if raw.FPDFPathSegment_GetClose(segment):
            yield from _straight(at, start)


def _straight(a: tuple[float, float], b: tuple[float, float]) -> Iterator[Box]:
    box = Box(min(a[0], b[0]), min(a[1], b[1]), max(a[0], b[0]), max(a[1], b[1]))
    width, height = box.x1 - box.x0, box.y1 - box.y0
    if math.isfinite(width + height) and min(width, height) < 1 and max(width, height) > 4:
        yield box
