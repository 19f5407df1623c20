"""Code as text is bounded, keeps the numbers of its lines, and needs not be Python."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from grader.intake import code_text
from grader.intake.code_text import LONGEST


def texts(folder: Path, **files: bytes) -> dict[str, str]:
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return code_text(folder, [Path(name) for name in files])


def test_files_keep_their_order_and_lines(tmp_path):
    found = texts(tmp_path, b=b"x = 1\r\n\r\ny = 2\n", a=b"z = 3")
    assert list(found.items()) == [("b", "x = 1\n\ny = 2\n"), ("a", "z = 3")]


def test_a_notebook_is_its_code_cells(tmp_path):
    cells = [
        {"cell_type": "code", "source": "!nvidia-smi\nx = 1"},
        {"cell_type": "markdown", "source": "Task 1"},
        {"cell_type": "code", "source": ["y = 2\n", "z = 3"]},
    ]
    notebook = tmp_path / "HW3.ipynb"
    notebook.write_text(json.dumps({"cells": cells}), "utf-8")
    assert code_text(tmp_path, [Path("HW3.ipynb")]) == {
        "HW3.ipynb, cell 1": "pass\nx = 1\n",
        "HW3.ipynb, cell 2": "y = 2\nz = 3\n",
    }


@pytest.mark.parametrize("content", [b"{}", b"\xff\xfe no json", b"[" * 100_000, b""])
def test_what_is_no_notebook_is_left_out(tmp_path, content):
    (tmp_path / "HW3.ipynb").write_bytes(content)
    (tmp_path / "a.py").write_text("x = 1")
    files = [Path("HW3.ipynb"), Path("gone.py"), Path("a.py")]
    assert code_text(tmp_path, files) == {"a.py": "x = 1"}


def test_much_code_is_cut_and_so_are_endless_lines(tmp_path):
    lines = b"".join(b"x%d = %d\n" % (n, n) for n in range(20_000))
    found = texts(tmp_path, first=lines, second=b"never = 'reached'")
    assert len(found["first"]) == LONGEST
    assert found.get("second", "") == ""
    [line] = texts(tmp_path, huge=b"x = [" + b"1, " * (10 * 2**20 // 3) + b"]").values()
    assert len(line) < 500


def test_null_bytes_and_other_encodings_do_no_harm(tmp_path):
    found = texts(tmp_path, nul=b"x\0= 1", latin=b"# \xe4", wide="x = 1".encode("utf-16"))
    assert found["nul"] == "x = 1"
    assert found["latin"] == "# \ufffd"
    assert "\0" not in found["wide"]
