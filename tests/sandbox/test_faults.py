"""Whose doing a failure is: where it is unclear, it is not the student's."""

from __future__ import annotations

import json

import pytest

from grader.sandbox.faults import InterfaceGap, StudentFault, described
from grader.sandbox.protocol import HEADER_LIMIT


def failure(text, tmp_path, **files):
    """What an exception of this code, in a file of a hand-in, means."""
    for name, content in files.items():
        (tmp_path / f"{name}.py").write_text(content)
    path = tmp_path / "hw3.py"
    path.write_text(text)
    try:
        exec(compile(text, str(path), "exec"), {"__name__": "hw3", "__package__": ""})
    except BaseException as error:
        return described(error, tmp_path)
    raise AssertionError("nothing was raised")


@pytest.mark.parametrize(
    ("text", "message", "where"),
    [
        ("x = 1\ny = z", "NameError: name 'z' is not defined", "hw3.py, line 2: y = z"),
        ("import json\njson.loads('{')", "JSONDecodeError", "hw3.py, line 2: json.loads('{')"),
        ("raise SystemExit(3)", "SystemExit: 3", "hw3.py, line 1: raise SystemExit(3)"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt", "hw3.py, line 1"),
        ("raise ValueError('a\\nb')", "ValueError: a", "hw3.py, line 1"),
        ("[][0]", "IndexError", "hw3.py, line 1"),
        ("raise NotImplementedError('forward')", "NotImplementedError: forward", "hw3.py, line 1"),
    ],
)
def test_their_own(text, message, where, tmp_path):
    fault = failure(text, tmp_path)
    assert isinstance(fault, StudentFault)
    assert fault.message.startswith(message)
    assert fault.where.startswith(where)
    assert "Traceback" in fault.details


@pytest.mark.parametrize(
    "text",
    [
        "import no_such_package",
        "from torch import no_such_thing",
        "from . import helper",
        "open('data.csv')",
        "import subprocess; subprocess.run(['no-such-nvidia-smi'])",
        "raise EOFError('EOF when reading a line')",
        "import argparse; argparse.ArgumentParser().error('--gpus is required')",
        "import sys\nsys.argv[300]",
        "raise NotImplementedError('virtual GPUs do not have this')",
        "raise NotImplementedError(\"Could not run 'aten::x' from the 'CUDA' backend\")",
    ],
)
def test_not_theirs(text, tmp_path):
    gap = failure(text, tmp_path)
    assert isinstance(gap, InterfaceGap)
    assert gap.message
    assert "Traceback" in gap.details


def test_a_helper_of_their_own_that_lacks_something_is_theirs(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    fault = failure("from my_own_helper import y", tmp_path, my_own_helper="x = 1")
    assert isinstance(fault, StudentFault)


def test_everything_fits_into_a_frame(tmp_path):
    text = "raise ValueError('\U0001f600' * 30_000)"
    fault = failure(text, tmp_path)
    assert len(json.dumps(fault.to_json())) < HEADER_LIMIT - 1000
    gap = InterfaceGap("\U0001f600" * 30_000, details="\U0001f600" * 30_000)
    assert len(json.dumps(gap.to_json())) < HEADER_LIMIT - 1000
