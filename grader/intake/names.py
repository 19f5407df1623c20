"""File names as they can be shown, printed and compared."""

from __future__ import annotations

import hashlib
import unicodedata
from pathlib import PurePosixPath

_LONGEST = 255  # bytes of a file name on the usual file systems


def readable(name: str) -> str:
    """A file name that fits into a line, a CSV cell and UTF-8; plain names stay as they are.

    Accents are composed (macOS stores them apart). Control characters and bytes that are no
    UTF-8 become %0A, %FF, so that two different names stay different.
    """
    # Composed last: an accent may follow a byte that has become letters.
    return unicodedata.normalize("NFC", "".join(map(_shown, name)))


def _shown(char: str) -> str:
    if "\udc80" <= char <= "\udcff":  # how Python keeps a byte of a name that is no UTF-8
        return f"%{ord(char) - 0xDC00:02X}"
    if unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"}:
        return f"%{ord(char):02X}"
    return char


def storable(name: str) -> str:
    """A readable name that is also short enough for a file system; long ones end in a hash."""
    text = readable(name)
    if len(text.encode()) <= _LONGEST:
        return text
    digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    ending = PurePosixPath(text).suffix[:20]
    return f"{text.encode()[:160].decode('utf-8', 'ignore')}~{digest}{ending}"
