"""File names as they can be shown, printed and compared."""

from __future__ import annotations

import hashlib
import unicodedata
from pathlib import Path, PurePosixPath

from grader.errors import shortened

_LONGEST = 255  # bytes of a file name on the usual file systems
_IN_A_SENTENCE = 120  # characters

#: Characters that turn the direction of what follows, so that a line says something else.
_TURNING = {*"\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"}


def readable(name: str) -> str:
    """A file name that fits into a line, a CSV cell and UTF-8; plain names stay as they are.

    Accents are composed (macOS stores them apart). Control characters, bytes that are no UTF-8
    and marks that turn a line's direction become %0A, %FF, %202E: different names stay different.
    """
    # Composed last: an accent may follow a byte that has become letters.
    return unicodedata.normalize("NFC", "".join(map(_shown, name)))


def _shown(char: str) -> str:
    if "\udc80" <= char <= "\udcff":  # how Python keeps a byte of a name that is no UTF-8
        return f"%{ord(char) - 0xDC00:02X}"
    if unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} or char in _TURNING:
        return f"%{ord(char):02X}"
    return char


def brief(name: str) -> str:
    """A readable name, or path, that fits into a sentence."""
    return shortened(readable(name), _IN_A_SENTENCE)


def storable(name: str) -> str:
    """A readable name that is also short enough for a file system; long ones end in a hash."""
    text = readable(name)
    if len(text.encode()) <= _LONGEST:
        return text
    digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    ending = PurePosixPath(text).suffix[:20]
    return f"{text.encode()[:160].decode('utf-8', 'ignore')}~{digest}{ending}"


def free(path: Path) -> Path:
    """A path that nothing stands at: `more`, `more (2)`."""
    found, number = path, 1
    while found.exists():
        number += 1
        found = path.with_name(storable(f"{path.stem} ({number}){path.suffix}"))
    return found
