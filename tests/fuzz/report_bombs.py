"""Reports that want to become large, to be read for ever, or to read what is not theirs."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable

from bombs import zipped

# ---------------------------------------------------------------------- PDFs


def pdf(*objects: bytes, pages: bytes = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>") -> bytes:
    """A PDF of these objects, numbered from 3 on; object 3 is its page."""
    made, places = bytearray(b"%PDF-1.5\n"), []
    for number, content in enumerate((b"<< /Type /Catalog /Pages 2 0 R >>", pages, *objects), 1):
        places.append(len(made))
        made += b"%d 0 obj\n" % number + content + b"\nendobj\n"
    start = len(made)
    made += b"xref\n0 %d\n0000000000 65535 f \n" % (len(places) + 1)
    made += b"".join(b"%010d 00000 n \n" % place for place in places)
    made += b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (len(places) + 1, start)
    return bytes(made)


def page(contents: bytes = b"4 0 R", resources: bytes = b"", box: bytes = b"0 0 595 842") -> bytes:
    return (
        b"<< /Type /Page /Parent 2 0 R /MediaBox [%s] /Contents %s /Resources << %s "
        b"/Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>"
        % (box, contents, resources)
    )


def stream(content: bytes, said: bytes = b"") -> bytes:
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(content), said, content)


def zeros(megabytes: int, times: int) -> bytes:
    """Zeros, deflated so many times: the first time a thousandth is left, and again."""
    content = _deflated_blocks(bytes(1 << 20), megabytes)
    for _ in range(times - 1):
        content = zlib.compress(content, 9)
    filters = b" ".join([b"/FlateDecode"] * times)
    return stream(content, b"/Filter [%s]" % filters)


def _deflated_blocks(block: bytes, count: int) -> bytes:
    """The block so many times, without packing it each time."""
    packer = zlib.compressobj(9)
    start = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    return start + again * (count - 1)  # without its checksum, which no reader asks for


TEXT = stream(b"BT /F 12 Tf 72 700 Td (Task 1: the layers run one after another.) Tj ET")


def deep_pages(depth: int) -> bytes:
    """A page at the end of a chain of lists of pages."""
    links = [
        b"<< /Type /Pages /Kids [%d 0 R] /Count 1 >>" % (number + 1)
        for number in range(3, 3 + depth)
    ]
    return pdf(*links, page(b"%d 0 R" % (depth + 4)), TEXT)


def form(number: int) -> bytes:
    """A picture that is drawn with the picture of this number, many times."""
    said = (
        b"/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X %d 0 R >> >>"
    )
    return stream(b"/X Do " * 10, said % number)


def forms(depth: int) -> bytes:
    """Pictures of ten pictures of ten pictures."""
    chain = [form(number + 1) for number in range(5, 5 + depth)]
    draws = page(resources=b"/XObject << /X 5 0 R >>")
    return pdf(draws, stream(b"/X Do"), *chain, form(5 + depth))


PDFS: dict[str, Callable[[], bytes]] = {
    "4 GB of zeros on a page": lambda: pdf(page(), zeros(4096, 1)),
    "4 GB of zeros, packed thrice": lambda: pdf(page(), zeros(4096, 3)),
    "zeros in an object stream": lambda: pdf(
        page(), zeros(2048, 1)[:-9].replace(b"<< ", b"<< /Type /ObjStm /N 9999999 /First 9 ", 1)
        + b"endstream"
    ),
    "a list of pages in itself": lambda: pdf(
        page(), TEXT, pages=b"<< /Type /Pages /Kids [2 0 R 3 0 R] /Count 2 >>"
    ),
    "a page that is its own parent": lambda: pdf(page().replace(b"2 0 R", b"3 0 R", 1), TEXT),
    "100,000 lists of pages": lambda: deep_pages(100_000),
    "a billion pages": lambda: pdf(
        page(), TEXT, pages=b"<< /Type /Pages /Kids [3 0 R] /Count 1000000000 >>"
    ),
    "one page a million times": lambda: pdf(
        page(), TEXT, pages=b"<< /Type /Pages /Kids [%s] /Count 1000000 >>" % (b"3 0 R " * 10**6)
    ),
    "a picture in itself": lambda: pdf(
        page(resources=b"/XObject << /X 5 0 R >>"), stream(b"/X Do"), form(5)
    ),
    "pictures of pictures": lambda: forms(9),
    "lists in lists": lambda: pdf(page(), TEXT, b"[" * 10**6 + b"]" * 10**6),
    "lists in lists on a page": lambda: pdf(page(), stream(b"[" * 10**6)),
    "states in states": lambda: pdf(page(), stream(b"q " * 10**6 + b"BT /F 9 Tf (a) Tj ET")),
    "a page of light years": lambda: pdf(page(box=b"-1e38 -1e38 1e38 1e38"), TEXT),
    "a page of nothing": lambda: pdf(page(box=b"0 0 0 0"), TEXT),
    "letters of light years": lambda: pdf(
        page(), stream(b"BT /F 1e38 Tf 1e38 1e38 Td (Task 1) Tj -1e38 0 Td (Q1) Tj ET")
    ),
    "a million letters": lambda: pdf(
        page(), stream(b"BT /F 9 Tf " + b"(ab) Tj " * 500_000 + b"ET")
    ),
    "a million lines": lambda: pdf(page(), stream(b"0 0 m 9 9 l S " * 10**6)),
    "a million boxes": lambda: pdf(page(), stream(b"0 0 9 9 re S " * 10**6)),
    "a picture of a trillion dots": lambda: pdf(
        page(resources=b"/XObject << /X 5 0 R >>"), stream(b"9 0 0 9 0 0 cm /X Do"),
        stream(b"", b"/Type /XObject /Subtype /Image /Width 1000000 /Height 1000000 "
                    b"/BitsPerComponent 8 /ColorSpace /DeviceRGB"),
    ),
    "a length in itself": lambda: pdf(page(), b"<< /Length 4 0 R >>\nstream\nBT ET\nendstream"),
}  # fmt: skip

# ---------------------------------------------------------------------- .docx

_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def docx(document: str | bytes) -> bytes:
    text = document.encode() if isinstance(document, str) else document
    return zipped({"word/document.xml": text})


def _laughs() -> str:
    """A billion of them, in nine entities of ten each."""
    levels = [f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10)]
    kinds = f'<!ENTITY l0 "lol">{"".join(levels)}'
    return f"<!DOCTYPE d [{kinds}]><w:document {_W}><w:body><w:p>&l9;</w:p></w:body></w:document>"


def _from_outside(kind: str) -> str:
    return f"<!DOCTYPE d {kind}><w:document {_W}><w:p><w:r><w:t>&x;</w:t></w:r></w:p></w:document>"


DOCXS: dict[str, Callable[[], bytes]] = {
    "a billion laughs": lambda: docx(_laughs()),
    "an entity from outside": lambda: docx(
        _from_outside('[<!ENTITY x SYSTEM "file:///etc/passwd">]')
    ),
    "a definition from outside": lambda: docx(_from_outside('SYSTEM "file:///etc/passwd"')),
    "a parameter from outside": lambda: docx(
        _from_outside('[<!ENTITY % x SYSTEM "file:///etc/passwd"> %x;]')
    ),
    "a part of 200 MB": lambda: docx(bytes(200 << 20)),
    "10,000 tables in one another": lambda: docx(
        f"<w:document {_W}><w:body>" + "<w:tbl><w:tr><w:tc>" * 10_000
    ),
    "100,000 attributes": lambda: docx(
        f"<w:document {_W} " + " ".join(f'a{n}="1"' for n in range(100_000)) + "/>"
    ),
}

BOOKS: dict[str, Callable[[], bytes]] = {
    "deep lists": lambda: b'{"cells": ' + b"[" * 10**6,
    "huge numbers": lambda: b'{"cells": [{"cell_type": "markdown", "source": %s}]}' % (b"9" * 5000),
    "infinite numbers": lambda: b'{"cells": [{"cell_type": "markdown", "source": [1e999, NaN]}]}',
    "a cell of 45 MB": lambda: json.dumps(
        {"cells": [{"cell_type": "markdown", "source": "Task 1\n" * (45 << 17)}]}
    ).encode(),
}

REPORT_BOMBS = {
    **{f"{name}.pdf": make for name, make in PDFS.items()},
    **{f"{name}.docx": make for name, make in DOCXS.items()},
    **{f"{name}.ipynb": make for name, make in BOOKS.items()},
}
