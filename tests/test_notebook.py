"""Notebooks, as students save them, become the Python that ran in them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from grader.notebook import MAX_BYTES, MAX_CELLS, NotANotebook, is_notebook, read_notebook


def notebook(*cells: str) -> bytes:
    """Code cells of format 4, each between two of text."""
    text = {"cell_type": "markdown", "source": ["# Task"]}
    code = [{"cell_type": "code", "source": c.splitlines(keepends=True)} for c in cells]
    return json.dumps({"nbformat": 4, "cells": [c for one in code for c in (text, one)]}).encode()


def test_cells_follow_one_another() -> None:
    read = read_notebook(notebook("import torch\nDIM = 4", "print(DIM)"))
    assert read.code.split("\n") == ["import torch", "DIM = 4", "", "print(DIM)", ""]
    assert read.dropped == ()


def test_a_line_is_found_again_in_its_cell() -> None:
    read = read_notebook(notebook("a = 1\nb = 2", "c = 3\nd = 4"))
    places = {line: read.place(i) for i, line in enumerate(read.code.split("\n"), 1) if line}
    assert places == {"a = 1": (1, 1), "b = 2": (1, 2), "c = 3": (2, 1), "d = 4": (2, 2)}


@pytest.mark.parametrize(
    ("line", "left", "dropped"),
    [
        ("%matplotlib inline", "pass", True),
        ("!nvidia-smi", "pass", True),
        ("for i in range(2):\n    !ls", "for i in range(2):\n    pass", True),
        ("files = !ls", "pass", True),
        ("model?", "pass", True),
        ("get_ipython().system('ls')", "get_ipython().system('ls')", False),  # it is Python
        ("%time train()", "train()", False),
        ("x = 5 % 3", "x = 5 % 3", False),
        ("text = '''\n!not a command\n'''", "text = '''\n!not a command\n'''", False),
    ],
)
def test_what_only_jupyter_understands(line: str, left: str, dropped: bool) -> None:
    read = read_notebook(notebook(line))
    assert read.code == left + "\n"
    assert bool(read.dropped) == dropped


@pytest.mark.parametrize("magic", ["%%time", "%%capture out", "\n%%writefile model.py"])
def test_cells_of_python_under_a_magic_count(magic: str) -> None:
    assert "x = 1" in read_notebook(notebook(f"{magic}\nx = 1")).code


@pytest.mark.parametrize("magic", ["%%bash", "%%html", "%%javascript"])
def test_cells_of_another_language_do_not(magic: str) -> None:
    read = read_notebook(notebook(f"{magic}\nx = 1", "y = 2"))
    assert "x = 1" not in read.code
    assert read.dropped == (f"cell 1: {magic}",)
    assert read.place(read.code.split("\n").index("y = 2") + 1)[0] == 2


def test_a_cell_that_is_no_python_is_named_and_the_rest_stays() -> None:
    read = read_notebook(notebook("def broken(:", "y = 2"))
    assert read.code == "y = 2\n"
    assert read.dropped == ("cell 1, which is not Python (SyntaxError)",)


def test_format_3() -> None:
    old = {"nbformat": 3, "worksheets": [{"cells": [{"cell_type": "code", "input": "x = 1"}]}]}
    assert read_notebook(json.dumps(old).encode()).code == "x = 1\n"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "format of Jupyter"),
        (b"\xff\xfe\x00", "UTF-8"),
        (b"[1]", "format of Jupyter"),
        (b'{"cells": [3]}', "format of Jupyter"),
        (b'{"cells": [{"cell_type": "code", "source": [1]}]}', "format of Jupyter"),
        (b"[" * 200_000, "nested"),
        (b" " * (MAX_BYTES + 1), "larger"),
    ],
)
def test_what_is_no_notebook_says_why(content: bytes, why: str) -> None:
    with pytest.raises(NotANotebook, match=why):
        read_notebook(content)


def test_half_a_character_is_no_reason_to_fail() -> None:
    cell = b'{"cells": [{"cell_type": "code", "source": "s = \'\\ud800\'"}]}'
    assert read_notebook(cell).code == "s = '?'\n"


@pytest.mark.parametrize(
    "cells", [["x = 1\n" * 100_000], ["x = 1\n" * 40_000] * 2, ["x"] * (MAX_CELLS + 1)]
)
def test_more_code_than_anybody_writes(cells: list[str]) -> None:
    """A syntax tree takes hundreds of times as much memory as its source."""
    with pytest.raises(NotANotebook, match="longer than 400000 characters or 2000 cells of code"):
        read_notebook(notebook(*cells))


def test_numbers_that_python_does_not_read() -> None:
    huge = b'{"cells": [], "metadata": %s}' % (b"9" * 5000)
    with pytest.raises(NotANotebook, match="format of Jupyter"):
        read_notebook(huge)
    assert read_notebook(huge.replace(b"9" * 5000, b"1e999")).code == ""


def test_a_notebook_is_known_by_its_name() -> None:
    assert is_notebook(Path("HW3.IPYNB"))
    assert not is_notebook(Path("ipynb"))


def test_a_cell_that_takes_gigabytes_to_parse_is_dropped():
    many = f"import {'.'.join(['a'] * 90_000)}"
    book = read_notebook(notebook(many, "x = 1"))
    assert book.dropped == ("cell 1, which is not Python (MemoryError)",)
    assert book.code.strip() == "x = 1"
