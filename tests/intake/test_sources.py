from __future__ import annotations

from pathlib import Path

import pytest
from hand_ins import without_root

from grader.intake import check_source


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"x = 'caf\xc3\xa9'\n",
        b"\xef\xbb\xbfx = 1\r\n",
        b"# -*- coding: latin-1 -*-\nx = '\xe4'\n",
        b"pattern = '\\d'\nx is 5\n",  # warnings are no errors
    ],
)
def test_python(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "hw3.py"
    path.write_bytes(content)
    assert check_source(path) is None


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"x = 1\nfor i in range(3)\n", "hw3.py, line 2: expected ':': for i in range(3)"),
        (b"def f():\nreturn 1\n", "hw3.py, line 2: expected an indented block after function"),
        (b"%matplotlib inline\n", "hw3.py, line 1: invalid syntax: %matplotlib inline"),
        (b"\xff", "hw3.py is not UTF-8 text (byte 0xff at position 0); save it as UTF-8"),
        (b"x = 1\n#" + b"y" * 9 + b"\xe4\n", "hw3.py is not UTF-8 text (byte 0xe4 at position 16)"),
        ("x = 1".encode("utf-16"), "hw3.py is not UTF-8 text (byte 0xff at position 0)"),
        (b"# coding: ascii\nx = '\xe4'", "hw3.py is not ASCII text (byte 0xe4 at position 21)"),
        (b"# coding: klingon\nx = 1", "hw3.py: unknown encoding: klingon"),
        (b"x = 1\0", "hw3.py"),  # which words, depends on Python's version
        (b"(" * 500, "hw3.py, line 1: too many nested parentheses"),
        (b"-" * 99_999 + b"1", "hw3.py is nested too deeply for Python to read"),
        (b"x" * 3_000_000, "hw3.py is too large for a script (2 MB)"),
    ],
)
def test_no_python(tmp_path: Path, content: bytes, line: str) -> None:
    path = tmp_path / "hw3.py"
    path.write_bytes(content)
    found = check_source(path)
    assert found is not None
    assert found.startswith(line)
    assert "\n" not in found


def test_a_file_nobody_may_read(open_folder: Path) -> None:
    path = open_folder / "hw3.py"
    path.write_text("x = 1")
    path.chmod(0)
    with without_root():
        assert check_source(path) == "hw3.py cannot be read (Permission denied)"
