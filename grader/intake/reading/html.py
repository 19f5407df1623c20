"""Reads HTML, as learning platforms keep what was typed into them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape

from grader.intake.reading.document import MAX_CHARACTERS, PICTURE, Document, document_of
from grader.intake.reading.markdown import decoded
from grader.intake.reading.rows import as_rows
from grader.intake.report_text import clean

_LONGEST = 4 * MAX_CHARACTERS  # with all of its tags
_BLOCKS = set(
    "address article aside blockquote body br dd details div dl dt fieldset figcaption figure"
    " footer form h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre section summary ul".split()
)
_SILENT = set("script style head template noscript svg object iframe select textarea".split())


def read_html(content: bytes) -> Document:
    """Read the text of a page: headings with #, lists with their numbers, tables as rows."""
    reader = _Reader()
    for is_end, tag, text in _tokens(decoded(content)[:_LONGEST]):
        if text:
            reader.said(text)
        elif is_end:
            reader.ended(tag)
        else:
            reader.began(tag)
    return document_of([clean(reader.text())])


_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_TOKEN = re.compile(
    r"<(?P<end>/?)(?P<tag>[a-zA-Z][a-zA-Z0-9]*)[^>]*>|<[!?/][^>]*>|(?P<text>[^<]+|<)"
)


def _tokens(page: str) -> Iterator[tuple[bool, str, str]]:
    """Tags and text, in time that grows with the page: Python's own parser has inputs of a
    megabyte that keep it for minutes. No attribute is needed here.
    """
    closed = page.rfind("-->") + 3
    page = _COMMENT.sub(" ", page[:closed]) + page[closed:] if closed > 2 else page
    last = page.rfind(">") + 1  # behind it, no tag ends
    for found in _TOKEN.finditer(page, 0, last):
        if found["tag"]:
            yield bool(found["end"]), found["tag"].lower(), ""
        elif found["text"]:
            yield False, "", unescape(found["text"])
    if last < len(page):
        yield False, "", unescape(page[last:])


@dataclass
class _Table:
    rows: list[list[str]] = field(default_factory=list)
    in_cell: bool = False


class _Reader:
    """Collects lines. Within a table's cell everything is one line; a table in it, too."""

    def __init__(self) -> None:
        self._lines: list[str] = [""]
        self._table: _Table | None = None
        self._tables = 0  # how many are open
        self._silent: list[str] = []
        self._lists: list[int | None] = []  # the number of the last item; None for bullets
        self._in_code = 0

    def text(self) -> str:
        self._end_table()
        return "\n".join(self._lines)

    def began(self, tag: str) -> None:
        if tag in _SILENT:
            self._silent.append(tag)
        elif tag == "table":
            self._tables += 1
            if self._table is None:
                self._table = _Table()
        elif self._table is not None and tag == "tr" and self._tables == 1:
            self._table.rows.append([])
            self._table.in_cell = False
        elif self._table is not None and tag in ("td", "th") and self._tables == 1:
            if not self._table.rows:
                self._table.rows.append([])
            self._table.rows[-1].append("")
            self._table.in_cell = True
        elif tag == "img":
            self._break()
            self._add(PICTURE)
            self._break()
        elif tag in _BLOCKS:
            self._start_block(tag)

    def _start_block(self, tag: str) -> None:
        self._break()
        if tag in ("ol", "ul"):
            self._lists.append(0 if tag == "ol" else None)
        elif tag == "li":
            count = self._lists[-1] if self._lists else None
            if count is not None:
                self._lists[-1] = count + 1
            self._add("• " if count is None else f"{count + 1}. ")
        elif tag == "pre" and self._table is None:
            self._in_code += 1
            self._lines += ["```", ""]
        elif len(tag) == 2 and tag[0] == "h" and tag[1].isdigit():
            self._add("#" * int(tag[1]) + " ")

    def ended(self, tag: str) -> None:
        if self._silent:
            if tag in self._silent:
                del self._silent[self._silent.index(tag) :]
        elif tag == "table":
            self._tables = max(self._tables - 1, 0)
            if not self._tables:
                self._end_table()
        elif tag == "pre" and self._in_code:
            self._in_code -= 1
            self._lines += ["```", ""]
        elif tag in ("ol", "ul") and self._lists:
            self._lists.pop()
            self._break()
        elif tag in _BLOCKS:
            self._break()

    def said(self, data: str) -> None:
        if self._silent:
            return
        if self._in_code and self._table is None:
            first, *others = data.split("\n")
            self._lines[-1] += first
            self._lines += others
        else:
            self._add(" ".join(data.split(" ")).replace("\n", " "))

    def _add(self, text: str) -> None:
        if self._table is None:
            self._lines[-1] += text
        elif self._table.in_cell:
            self._table.rows[-1][-1] += text

    def _break(self) -> None:
        if self._table is not None:
            self._add(" ")
        elif self._lines[-1]:
            self._lines.append("")

    def _end_table(self) -> None:
        if self._table is None:
            return
        rows, self._table, self._tables = self._table.rows, None, 0
        if max(map(len, rows), default=0) > 1:
            self._lines += as_rows(rows)
        else:  # a frame around text
            self._lines += [cell for row in rows for cell in row]
        self._lines.append("")
