"""Text out of a document, as a reader sees it: the same words in the same order, no more."""

from __future__ import annotations

import re
import unicodedata

_LIGATURES = str.maketrans(
    {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"}
)
#: A word divided at the end of a line: soft hyphen, or one of PDFium's two marks for it.
_DIVIDED = re.compile("[\u00ad\ufffe\x02][ \t]*\n[ \t]*")
_INVISIBLE = re.compile("[\x00-\x08\x0e-\x1f\x7f\u00ad\u200b\u200e\u200f\u2060\ufeff\ufffe]")


def clean(text: str) -> str:
    """Ligatures and divided words repaired, invisible characters dropped, white space plain.

    Lines stay lines, with one empty line at most between two. Cleaning twice changes nothing.
    """
    text = re.sub("\r\n?|[\x0b\x0c\x85\u2028\u2029]", "\n", text)
    text = _INVISIBLE.sub("", _DIVIDED.sub("", text)).translate(_LIGATURES)
    lines = [" ".join(line.split()) for line in unicodedata.normalize("NFC", text).split("\n")]
    return re.sub("\n{3,}", "\n\n", "\n".join(lines)).strip("\n")
