"""Names of files that nobody gives on purpose, and some that somebody would."""

from __future__ import annotations

import random

WHOLE = (
    *("hw3.py", "src/model.py", "report.pdf", "HW 3/final/hw3.ipynb", "data.csv", "lib/x/y/z.py"),
    *(
        "töö.py",
        "作业.py",
        "Отчёт.pdf",
        "واجب.py",
        "👩‍🔬.py",
        "a b (2).py",
        "hw3-1.py",
        "raport.docx",
    ),
)

ODD = (
    # out of the folder
    *(f"{'../' * up}evil.py" for up in range(1, 9)),
    *("a/../../evil.py", "..", ".", "/evil.py", "//host/evil.py", "\\evil.py"),
    *("..\\evil.py", "C:\\evil.py", "c:evil.py", "a/./b.py", "a//b.py", "~/evil.py", "./hw3.py"),
    # bytes and characters
    *("\udcff\udcfe.py", "a\udce9.py", "a\x00b.py", "a\nb.py", "a\r.py", "\x1b[31mred.py"),
    *("a\tb.py",),
    *("a\u202efdp.py", "\u2066a\u2069.py", "a\u2028b.py", "\ufeffa.py", "e\u0301.py", "\u00e9.py"),
    *("a\ud800b.py", "\U0010ffff.py", "%FF.py", "a\x7f.py", "a\x85.py", "n\u0303" * 60 + ".py"),
    # too long, too short, too deep
    *("x" * 255, "x" * 252 + ".py", "x" * 251 + ".zip", "ä" * 127 + ".py", "x" * 256, "x" * 5000),
    *("a/" * 20 + "b.py", "a/" * 300 + "b.py", "a/" * 2000 + "b.py", f"{'d' * 200}/" * 30 + "b.py"),
    *("a/" * 30_000 + "b.py", " ", " .py", ".py", "a.py ", "a.py.", "..zip", "...zip", "-rf", "a."),
    # with a meaning of their own
    *("NUL", "con.py", "aux.zip", "LPT1", "class.toml", "roster.csv", "score.json", ".lock"),
    *(".env",),
    *("gradebook.csv", "review.csv", "conftest.py", "json.py", "torch/__init__.py", "__init__.py"),
    *("=cmd|' /C calc'!A0.py", "'quoted'.py", '"q".py', "$(id).py", "`id`.py", "a;b.py", "%s%n.py"),
    *("attempt 1/hw3.py", "attempt 2/hw3.py", "s01 (2).py", "s01_v2.zip", "hw3 attempt 3", "s01-2"),
    *(".git/HEAD", "__MACOSX/._x", "venv/pyvenv.cfg", "e/lib/python3.11/site-packages/x.py", "~$x"),
    *("x.tar.gz", "x.zip", "x.rar", "x.7z", "x.tar.zst", "x.gz", "zip", "a.ZIP", "A.PY"),
    *("HW3.IPYNB",),
)  # fmt: skip


def some_name(chance: random.Random, odd: float = 0.3) -> str:
    """A name, with folders in front of it or not; odd ones so often."""
    if chance.random() >= odd:
        return chance.choice(WHOLE)
    name = chance.choice(ODD)
    return damaged_name(chance, name) if chance.random() < 0.3 else name


def damaged_name(chance: random.Random, name: str) -> str:
    """The name with a few characters changed."""
    for _ in range(chance.choice((1, 1, 2, 5))):
        at, count = chance.randrange(len(name) + 1), chance.choice((0, 1, 1, 6))
        put = chance.choice(
            ("", "_", " ", "/", ".", "\\", "\0", "-1", "9" * 30, "\udcff", "é", "_LATE_")
        )
        name = name[:at] + put + name[at + count :]
    return name


def as_part(name: str) -> str:
    """The name as one part of a path that a disk takes; "" where nothing is left of it."""
    part = name.replace("/", "_").replace("\0", "")
    kept = part.encode("utf-8", "surrogateescape" if _is_escaped(part) else "replace")[:255]
    text = kept.decode("utf-8", "surrogateescape")
    return "" if text in {".", ".."} else text


def _is_escaped(text: str) -> bool:
    """Whether its surrogates, if any, are bytes that are no UTF-8."""
    return not any("\ud800" <= c <= "\udfff" and not "\udc80" <= c <= "\udcff" for c in text)
