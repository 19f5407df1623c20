"""Source and notebooks that a person would hardly write."""

from __future__ import annotations

import json
import random
from typing import Any

from damage import damaged

MODEL = """\
import torch
import torch.nn as nn

DIM, DEPTH = 64, 20


class LargeLinearModelMP(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
        gpus = torch.cuda.device_count()
        self.layers = nn.ModuleList(
            nn.Linear(dim, dim).to(f"cuda:{n * gpus // depth}") for n in range(depth)
        )

    def forward(self, x):
        for layer in self.layers:
            x = layer(x.to(layer.weight.device)).relu()
        return x


if __name__ == "__main__":
    print(LargeLinearModelMP(DIM, DEPTH)(torch.randn(4, DIM)).sum())
"""

#: (start, repeated, middle, repeated, end): what nests when it is repeated.
_NESTS = (
    *(("x = ", "(", "1", ")", ""), ("x = ", "[", "", "]", ""), ("x = ", "-", "1", "", "")),
    *(("x = ", "not ", "1", "", ""), ("x = a", ".b", "", "", ""), ("x = ", "f(", "", ")", "")),
    *(("x = 1", "+1", "", "", ""), ("x = 1", "**1", "", "", ""), ("x = 1", "<1", "", "", "")),
    *(("x = ", "lambda: ", "1", "", ""), ("x = ", "1 if 1 else ", "1", "", "")),
    *(("x = a", "[0]", "", "", ""),),
    *(("x = ", "{1:", "1", "}", ""), ("x = a", "()", "", "", ""), ("x = ", "await ", "1", "", "")),
    *(("", "@a\n", "def f(): pass", "", ""), ("", "x = ", "1", "", "")),
    *(("x = ", "f'{", "1", "}'", ""),),
    *(("if a: pass\n", "elif a: pass\n", "", "", ""), ("from ", ".", " import a", "", "")),
    *(("import a", ".b", "", "", ""), ("x = '", "\\N{DIGIT ONE}", "", "", "'")),
    *(("x = ", "9", "", "", ""),),
    *(("x = ", "'a' ", "", "", ""), ("del a", ".b", "", "", "")),
    *(("getattr(", "getattr(", "a,'b'", "),'b'", ")"),),
)  # fmt: skip
_TIMES = (2, 20, 90, 199, 201, 1000, 3000, 30_000, 100_000)

_COOKIES = (
    *("utf-8", "latin-1", "utf-7", "utf-16", "utf-32", "idna", "punycode", "rot13", "hex", "zip"),
    *("base64", "unicode_escape", "raw_unicode_escape", "nonsense", "cp1257", "undefined", "mbcs"),
)
_BITS = (
    *("\0", "\f", "\r", "\x1a", "\ufeff", "\u2028", "\ud83d", "\udcff", "'''", '"""', "\\", "\t"),
    *("\n    ",),
    *("%time x = 1\n", "!ls\n", "%%bash\n", "?x\n", "x = !ls\n", "get_ipython()\n", "x?\n"),
    *("%%time\n",),
    *("os._exit(1)\n", "import sys; sys.modules\n", "class A:\n  __eq__ = lambda s, o: True\n"),
    *("…", "１"),
    *("match x:\n case [", "class LargeLinearModelMP(nn.Module): pass\n", "async def f(): yield\n"),
    *("from __future__ import braces\n", "x: int = 5\n", "print 'hi'\n", "1e999"),
    *("0x" + "f" * 6000,),
)  # fmt: skip


def nested(kind: int, times: int) -> str:
    """One statement of which something is repeated so often."""
    start, opening, middle, closing, end = _NESTS[kind]
    return start + opening * times + middle + closing * times + end + "\n"


def some_code(chance: random.Random) -> bytes:
    """A script: the right one, something odd in it, or something odd alone."""
    text = MODEL
    for _ in range(chance.choice((0, 1, 1, 2, 4))):
        at = chance.randrange(len(text)) if chance.random() < 0.5 else 0
        odd = nested(chance.randrange(len(_NESTS)), chance.choice(_TIMES))
        if chance.random() < 0.6:
            odd = chance.choice(_BITS)
        text = text[:at] + odd + text[at:]
    if chance.random() < 0.15:
        text = f"# -*- coding: {chance.choice(_COOKIES)} -*-\n{text}"
    content = text.encode("utf-8", "surrogatepass")
    return damaged(chance, content, content) if chance.random() < 0.3 else content


# ---------------------------------------------------------------------- notebooks


def some_notebook(chance: random.Random) -> bytes:
    """A notebook: cells of code and text, of which something is another thing than it should."""
    cells: list[Any] = [{"cell_type": "markdown", "metadata": {}, "source": ["# Task 1\n", "Q1"]}]
    for _ in range(chance.choice((1, 1, 2, 5))):
        code = some_code(chance).decode("utf-8", "surrogateescape")
        source: Any = code if chance.random() < 0.5 else code.splitlines(keepends=True)
        cells.append({"cell_type": "code", "metadata": {}, "source": source, "outputs": []})
    book: Any = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    if chance.random() < 0.1:
        book = {"worksheets": [{"cells": cells}], "nbformat": 3}
    for _ in range(chance.choice((0, 1, 1, 3))):
        book = _with_something_else(chance, book)
    text = json.dumps(book)
    for mark, odd in _RAW.items():
        text = text.replace(json.dumps(mark), odd)
    content = text.encode()
    return damaged(chance, content, content) if chance.random() < 0.4 else content


_RAW = {
    "@huge": "9" * 5000, "@infinite": "1e999", "@nan": "NaN", "@deep": "[" * 3000 + "]" * 3000,
    "@deeper": "[" * 100_000 + "]" * 100_000, "@dicts": '{"a":' * 5000 + "1" + "}" * 5000,
    "@half": '"\\ud800"', "@zero": '"\\u0000x"', "@twice": '{"cells": [], "cells": 5}',
}  # fmt: skip
_VALUES = (None, True, 0, -1, 1.5, "", "x", [], {}, [None], {"a": 1}, [[]], ["x", 5], *_RAW)


def _with_something_else(chance: random.Random, value: Any) -> Any:
    """The value with one part of it replaced, left out or repeated."""
    if isinstance(value, dict) and value and chance.random() < 0.85:
        key = chance.choice(sorted(value))
        kept = {k: v for k, v in value.items() if k != key}
        if chance.random() < 0.1:
            return kept
        return {**kept, key: _with_something_else(chance, value[key])}
    if isinstance(value, list) and value and chance.random() < 0.85:
        at = chance.randrange(len(value))
        inner = _with_something_else(chance, value[at])
        return [*value[:at], *[inner] * chance.choice((1, 1, 1, 3)), *value[at + 1 :]]
    return chance.choice(_VALUES)
