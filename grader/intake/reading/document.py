"""What any reader finds in a file, and the limits that all of them keep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

MAX_PAGES = 100
MAX_CHARACTERS = 300_000  # a hundred full pages
MAX_TABLE_ROWS = 2_000  # in a document

#: A line that stands where a picture stood.
PICTURE = "[picture]"


class UnreadableError(Exception):
    """A file that cannot be read, in words for the one who handed it in: "is empty; ...".

    `to_see` are the pages of which a person may read more.
    """

    def __init__(self, why: str, to_see: Sequence[int] = ()) -> None:
        super().__init__(why)
        self.to_see = list(to_see)


@dataclass
class Document:
    """Pages of text in reading order, tables in it as rows of `| cell | cell |`.

    `to_see` are the pages, counted from 1, that a person must look at: they hold pictures and
    next to no text, or their order is a guess. `remarks` say what was left out, or may have been
    read wrongly.
    """

    pages: list[str]
    to_see: list[int] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def document_of(pages: list[str], remarks: list[str] | None = None) -> Document:
    """The pages, as far as the limit on characters allows."""
    room, kept = MAX_CHARACTERS, []
    for page in pages[:MAX_PAGES]:
        kept.append(page[:room])
        room = max(room - len(page), 0)
    told = list(remarks or [])
    if sum(map(len, pages)) > MAX_CHARACTERS:
        told.append(f"only the first {MAX_CHARACTERS:,} characters were read")
    elif len(pages) > MAX_PAGES:
        told.append(f"only the first {MAX_PAGES} of {len(pages)} pages were read")
    if any(page.replace(PICTURE, "").strip() for page in kept):
        return Document(kept, remarks=told)
    if any(PICTURE in page for page in kept):
        raise UnreadableError("holds pictures but no text (screenshots?); a person must read it")
    raise UnreadableError("holds no text; hand in the report as PDF")
