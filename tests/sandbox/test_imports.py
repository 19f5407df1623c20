"""A hand-in's files under the names of modules: nothing of ours finds them, its own code does."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from stand_ins import MODEL

import grader
from grader.judge.prober import WorkerProber
from grader.sandbox.cold import ColdLauncher
from grader.sandbox.environment import clean_environment
from grader.sandbox.reader import read_report

ROOT = Path(grader.__file__).parents[1]

LOUD = """\
import os, sys
print("LOUD", __name__, file=sys.stderr)
open(__file__ + ".was-run", "w").close()
os._exit(77)
"""
FILES = ("pytest.ini", "setup.cfg", "pyproject.toml", "__init__.py", "evil.pth", "tox.ini")
OTHERS = ("conftest", "sitecustomize", "usercustomize", "torch", "numpy", "grader", "pytest")
OTHERS += ("_pytest", "sympy", "mpmath", "networkx", "triton", "optree", "jinja2", "pypdfium2")
OTHERS += ("reportlab", "click", "rich", "attr", "attrs", "cattrs", "functorch", "PIL")
PACKAGES = ("vgpu", "torchgen", "PIL", "importlib_metadata")


@pytest.fixture
def loud(hand_in):
    """A hand-in with a file of every name that Python, torch or the grader may import."""
    names = sorted(sys.stdlib_module_names - {"__main__"}) + list(OTHERS)
    files = {f"{name}.py": LOUD for name in names} | dict.fromkeys(FILES, LOUD)
    return hand_in(files | {f"{p}/__init__.py": LOUD for p in PACKAGES} | {"hw3.py": MODEL})


@pytest.fixture(params=["forked", "cold"])
def start(request, launcher, tmp_path):
    """Both ways to start a worker."""
    return launcher if request.param == "forked" else ColdLauncher(clean_environment(tmp_path))


def run(start, folder, rubric):
    """What was computed and where, over a forward pass and training; what was printed."""
    with WorkerProber(start, folder, [Path("hw3.py")], rubric.model, rubric.limits) as prober:
        seen = prober.forward(6, 2), prober.train(6, 2)
        output = "".join(worker.output for worker in prober.workers.running())
    assert seen[0].numbers.right
    assert seen[1].numbers.right
    return seen[0].layers_per_gpu(), output


def test_no_such_file_is_run_in_a_worker(start, loud, rubric):
    placed, output = run(start, loud, rubric)
    assert placed == [3, 3]
    assert "LOUD" not in output
    assert not list(loud.rglob("*.was-run"))


OWN = {
    "utils.py": "from helpers.places import spread\n",
    "helpers/__init__.py": "",
    "helpers/places.py": "def spread(i, gpus, depth): return i * gpus // depth\n",
    "test.py": "import numbers\nKIND = numbers.Integral\n",
    "resource.py": "GPU = 'cuda'\n",
    "profile.py": "from test import KIND\nimport decimal\nPLACES = decimal.PLACES\n",
    "decimal.py": "PLACES = 5\n",
    "sympy/__init__.py": "from .names import NAME\ndef late():\n    from . import later\n"
    "    return later.NAME\n",
    "sympy/names.py": "NAME = 'mine'\n",
    "sympy/later.py": "NAME = 'mine too'\n",
}  # fmt: skip
USES_OWN = """\
import random, json
import resource
import sympy.names
from decimal import PLACES
from profile import PLACES as SAME
from utils import spread
assert PLACES == SAME == 5 and resource.GPU == "cuda"
assert (sympy.NAME, sympy.names.NAME, sympy.late()) == ("mine", "mine", "mine too")
assert json.loads("[1]") == [1] and random.randrange(1) == 0
""" + MODEL.replace("return x", "import profile; assert profile.PLACES == 5; return x").replace(
    "i * gpus // depth", "spread(i, gpus, depth)"
)


@pytest.mark.parametrize("place", ["", "homework/"])
def test_a_students_own_modules_are_what_their_code_imports(start, hand_in, rubric, place):
    folder = hand_in({place + name: text for name, text in (OWN | {"hw3.py": USES_OWN}).items()})
    file = Path(place, "hw3.py")
    with WorkerProber(start, folder, [file], rubric.model, rubric.limits) as prober:
        assert prober.forward(6, 2).layers_per_gpu() == [3, 3]
        assert prober.train(6, 2).numbers.right


def test_the_same_as_in_their_own_run(hand_in):
    """What the test above asks for is what Python does."""
    folder = hand_in(OWN | {"hw3.py": USES_OWN + "print(LargeLinearModelMP.__name__)\n"})
    done = subprocess.run(
        [sys.executable, "hw3.py"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.stdout == "LargeLinearModelMP\n", done.stderr


def test_other_files_than_doubles_leave_the_import_statement_alone(start, hand_in, rubric):
    asserts = "import builtins\nassert type(builtins.__import__).__name__ == %r\n" + MODEL
    for extra, kind in (({}, "builtin_function_or_method"), ({"profile.py": ""}, "method")):
        run(start, hand_in({"hw3.py": asserts % kind} | extra), rubric)


def test_the_report_reader_does_not_look_where_it_stands(start, loud, monkeypatch):
    monkeypatch.chdir(loud)
    (loud / "report.pdf").write_bytes(b"no pdf")
    problem = read_report(start, loud, Path("report.pdf")).problem
    assert problem is not None
    assert "could not be read" not in problem
    assert not list(loud.rglob("*.was-run"))


def test_grading_from_within_a_hand_in(loud, tmp_path):
    """The command, its processes and pytest import nothing from the folder one stands in."""
    command = tmp_path / "bin" / "grade"
    command.parent.mkdir()
    command.write_text("if __name__ == '__main__':\n    from grader.cli import main\n    main()\n")
    shutil.copytree(loud, tmp_path / "class" / "s01")
    done = subprocess.run(
        [sys.executable, command, tmp_path / "class", "--out", tmp_path / "out", "--jobs", "1"],
        cwd=loud,
        env={"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "to look at: s01: " in done.stdout
    assert "LOUD" not in done.stdout + done.stderr
    assert not list(tmp_path.rglob("*.was-run"))
