"""The one gate between anybody's text and the page: clean, shorten, escape.

Names, answers and evidence come from strangers. Whatever they hold, `markup` gives text that
reportlab's paragraph parser reads as plain words and that our faces can print.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import groupby
from xml.sax.saxutils import escape

from grader.reports.fonts import SANS, face_for

#: Stands for a run of characters that no shipped face prints.
UNPRINTABLE = "[not printable]"

MARGIN_AT = 60

_NEWLINES = re.compile(r"\r\n?|[\v\f\x85\u2028\u2029]")
_INVISIBLE = re.compile(r"[\ufe00-\ufe0f\U000e0100-\U000e01ef]")  # variation selectors
_RUN = re.compile(r"\x00(?:[ ]*\x00)*")


def clean(text: str) -> str:
    """Composed (NFC), printable text; line breaks kept, other white space made spaces.

    Runs of characters that cannot be printed become `UNPRINTABLE`.
    """
    text = unicodedata.normalize("NFC", _INVISIBLE.sub("", _NEWLINES.sub("\n", text)))
    text = _RUN.sub("\0", "".join(_printed(char) for char in text))
    text = text.replace("\0", UNPRINTABLE)
    return "\n".join(re.sub(" +", " ", line).strip() for line in text.split("\n")).strip()


@lru_cache(maxsize=4096)
def _printed(char: str) -> str:
    """`char`, a space, nothing, or NUL for what cannot be printed."""
    category = unicodedata.category(char)
    if char == "\n":
        return char
    if category in {"Cc", "Zs"}:
        return " "
    if category == "Cf":  # joiners, direction marks, soft hyphens
        return ""
    return char if face_for(char) else "\0"


def is_printable(text: str) -> bool:
    """Whether every visible character of `text` can be printed rightly."""
    return UNPRINTABLE not in clean(text) or UNPRINTABLE in text


def one_line(text: str, limit: int) -> str:
    """`text` cleaned, on one line, at most `limit` characters."""
    return _cut(" ".join(clean(text[: 20 * limit]).split()), limit)


def few_lines(text: str, limit: int, lines: int) -> str:
    """`text` cleaned, its own line breaks kept, at most `limit` characters and `lines` lines."""
    kept = [line for line in clean(text[: 20 * limit]).split("\n") if line]
    short = _cut("\n".join(kept[:lines]), limit)
    return short if len(kept) <= lines or short.endswith("…") else f"{short}…"


def unwrapped(text: str) -> str:
    """`text` with the line breaks of a page's margin taken out.

    Only prose fills a line: a break after `MARGIN_AT` characters was made by the margin, one
    before it by the writer (a heading, a row of a table).
    """
    lines: list[str] = []
    long = False
    for line in text.split("\n"):
        if long and line.strip():
            lines[-1] += f" {line.strip()}"
        else:
            lines.append(line)
        long = len(line) >= MARGIN_AT
    return "\n".join(lines)


def _cut(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    head = text[: limit - 1]
    space = head.rfind(" ")
    return (head[:space] if space > limit * 2 // 3 else head).rstrip() + "…"


def markup(text: str, face: str = SANS) -> str:
    """Reportlab paragraph markup for plain `text`: escaped, each run in a face that has it."""
    runs = groupby(clean(text), key=lambda char: face_for(char, face) if char != "\n" else face)
    return "".join(_run(name or face, face, "".join(chars)) for name, chars in runs)


def _run(name: str, face: str, chars: str) -> str:
    escaped = escape(chars).replace("\n", "<br/>")
    return escaped if name == face else f'<font name="{name}">{escaped}</font>'
