"""What a person is asked to look at: spoken of in forgeries, silent on honest homework."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

import pytest

from grader.intake import suspicions
from grader.intake.suspicions import LONGEST_SOURCE, MOST_LINES

ROOT = Path(__file__).parents[2]
HAND_INS = ROOT / "tests/submissions"


def folders(*parents: Path):
    found = [f for parent in parents for f in sorted(parent.iterdir()) if f.is_dir()]
    assert found
    return [pytest.param(f, id=f"{f.parent.name}-{f.name}") for f in found]


def of_folder(folder: Path) -> tuple[str, ...]:
    return suspicions(folder, [f.relative_to(folder) for f in sorted(folder.rglob("*.py"))])


@pytest.fixture
def of(tmp_path):
    """The suspicions of one file's text."""

    def look(text: str | bytes, name: str = "hw3.py") -> tuple[str, ...]:
        data = text if isinstance(text, bytes) else textwrap.dedent(text).encode()
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
        return suspicions(tmp_path, [Path(name)])

    return look


HONEST = folders(
    *(HAND_INS / "right", HAND_INS / "pending", HAND_INS / "demo"),
    *(ROOT / "rubrics/hw3/wrong", ROOT / "rubrics/practical4/wrong"),
    *(ROOT / "submissions", ROOT / "reference", ROOT / "student_template"),
)


@pytest.mark.parametrize("folder", HONEST)
def test_honest_hand_ins_are_not_spoken_of(folder):
    assert of_folder(folder) == ()


#: Forged with what honest code uses as well; the judge finds it by comparing widths.
PLAIN = {"right_at_small_widths"}


@pytest.mark.parametrize("folder", folders(HAND_INS / "forged"))
def test_every_forgery_is_spoken_of(folder):
    assert bool(of_folder(folder)) is (folder.name not in PLAIN)


def test_a_line_names_file_line_and_construct(of):
    assert of("import torch as t\n\nt.allclose = print\n") == (
        "hw3.py, line 3: replaces torch.allclose",
    )


SUSPICIOUS = {
    "import grader.judge": "grader's own modules",
    "from grader import vgpu": "grader's own modules",
    "import gc\ngc.get_objects()": "walks the objects",
    "().__class__.__base__.__subclasses__()": "walks the objects",
    "from ctypes import CDLL": "reaches into memory",
    "import sys as s\ns._getframe(1)": "frames of its callers",
    "from inspect import stack": "frames of its callers",
    "try: 1/0\nexcept Exception as e: f = e.__traceback__.tb_frame.f_back": "frames of its callers",
    "class T(X):\n def __torch_function__(cls): pass": "how torch handles",
    "from torch.utils._python_dispatch import TorchDispatchMode": "how torch handles",
    "import atexit\natexit.register(print)": "when the process ends",
    "import sys\nsys.modules['torch']": "table of imported modules",
    "import sys\nsys.meta_path.insert(0, 5)": "table of imported modules",
    "import sys\nsys.settrace(print)": "watches or traces",
    "import torch.nn as nn\nclass P(nn.Parameter):\n device = 5": "a tensor class with a device",
    "from torch.nn import Module\nclass M(Module):\n @property\n def device(self): return 'cuda:1'":
        "device property",
    "from torch import nn\nclass M(nn.Module):\n device = property(lambda s: 5)": "device property",
    "import torch\nsetattr(torch, 'equal', print)": "replaces torch.equal",
    "import torch\nsetattr(torch, 'eq' + 'ual', print)": "replaces torch.(computed)",
    "import torch\nT = torch.Tensor\nT.to = print": "replaces torch.Tensor.to",
    "import torch\ntorch.__dict__['equal'] = print": "replaces torch.equal",
    "import torch\nvars(torch)['equal'] = print": "replaces torch.equal",
    "import json\ndel json.dumps": "replaces json.dumps",
    "import time\ntime.time = lambda: 0": "replaces time.time",
    "import builtins\nbuiltins.print = None": "replaces",
    "class A:\n def __eq__(self, other):\n  'Yes.'\n  return True": "__eq__ that is always true",
    "class A:\n __eq__ = lambda s, o: True": "__eq__ that is always true",
    "class A:\n def __reduce__(self): return (print, ())": "how it is pickled",
    "from os import _exit as leave\nleave(0)": "ends the process",
    "import os\ngetattr(os, '_exit')(0)": "ends the process",
    "import os\nos.fork()": "forks",
    "import os\nos.kill(-1, 9)": "forks",
    "import os\nos.system('nvidia-smi; rm -r .')": "starts another program (os.system)",
    "from subprocess import Popen\nPopen(['sleep', '9'])": "starts another program",
    "import socket\nsocket.create_connection(('a', 1))": "socket",
    "import os\nos.write(3, b'')": "writes to a file descriptor",
    "import os\nfor n in range(9): os.write(n, b'')": "writes to a file descriptor",
    "open(3, 'wb')": "file descriptor by number",
    "import os\nos.dup2(1, 5)": "file descriptors",
    "open('/proc/self/mem')": "under /proc",
    "pid = 1\nopen(f'/proc/{pid}/environ')": "under /proc",
    "import base64\nexec(base64.b64decode('eA=='))": "made from text",
    "eval('1')": "made from text",
    "__import__('o' + 's')": "name is computed",
    "import importlib\nimportlib.import_module('grader' + '.vgpu')": "name is computed",
    "import importlib\nimportlib.import_module('grader.vgpu')": "grader's own modules",
    "import marshal": "pickle or marshalled",
    "import pickle\npickle.loads(b'')": "pickle or marshalled",
    "import os\nif 'PYTEST_CURRENT_TEST' in os.environ: pass": "a variable of the grader",
    "import os\nos.getenv('VGPU')": "a variable of the grader",
    "open('../score.json', 'w')": "a file of the grader",
}  # fmt: skip


@pytest.mark.parametrize("text", SUSPICIOUS, ids=str.splitlines)
def test_each_construct_has_its_sentence(of, text):
    assert SUSPICIOUS[text] in " ".join(of(text))


@pytest.mark.parametrize(
    "text",
    [
        "import torch.multiprocessing as mp\nmp.spawn(print, nprocs=2)",
        "import torch.distributed as dist\ndist.init_process_group('gloo')",
        "import os\nos.environ['CUDA_VISIBLE_DEVICES'] = '0,1'\nos.environ['MASTER_PORT'] = '1'",
        "import gc, torch\ngc.collect()\ntorch.cuda.empty_cache()",
        "import torch\ntorch.backends.cudnn.benchmark = True\ntorch.manual_seed(0)",
        "import torch._dynamo\ntorch._dynamo.config.suppress_errors = True",
        "import re\nre.compile('a')\nmodel.eval()\nimport torch\ntorch.compile(model)",
        "def eval(model): return 1\neval(5)",
        "class M(N):\n @property\n def device(self): return next(self.parameters()).device",
        "class M(N):\n def __init__(self, device): self.device = device",
        "class P:\n def __eq__(self, other): return self.x == other.x",
        "import os, subprocess\nos.system('nvidia-smi')\nsubprocess.run(['nvidia-smi', '-L'])",
        "import socket\nwith socket.socket() as s:\n s.bind(('', 0))\n port = s.getsockname()[1]",
        "import sys\nsys.path.append('.')\nsys.exit(1 if len(sys.argv) > 2 else 0)",
        "import os, sys\nos.write(1, b'hi')\nsys.stdout = open('log.txt', 'w')",
        "open('/proc/meminfo').read()",
        "import inspect, types, functools, pytest\ninspect.getsource(print)",
        "import json\njson.dump({}, open('results.json', 'w'))",
        "'''Run with VGPU=5 python hw3.py; see /proc for more.'''",
    ],
    ids=str.splitlines,
)
def test_what_honest_students_write_is_not_spoken_of(of, text):
    assert of(text) == ()


@pytest.mark.parametrize(
    "text",
    [
        "def f(:\n exec('x')",
        b"\xff\xfe\0",
        "(" * 90_000,
    ],
    ids=["syntax", "binary", "parentheses"],
)
def test_a_file_that_cannot_be_parsed_gives_nothing(of, text):
    assert of(text) == ()


TOO_LARGE = ("hw3.py is too large or too deep to be looked through",)


def test_a_file_that_is_too_large_is_named_and_not_read(of):
    assert of("x = 1\n" * LONGEST_SOURCE) == TOO_LARGE


@pytest.mark.parametrize("text", ["-" * 90_000 + "1", "exec" + ".a" * 90_000])
def test_a_file_that_is_too_deep_is_named(of, text):
    assert of(text) == TOO_LARGE


def test_a_file_that_python_needs_gigabytes_for_is_named(of):
    """Its parser joins the names of an import again and again."""
    assert of("import a" + ".a" * 40_000) == TOO_LARGE


def test_the_list_is_short(of):
    found = of("import torch\n" + "".join(f"torch.f{i} = 1\n" for i in range(99)))
    assert len(found) == MOST_LINES
    assert found[-1] == f"and {99 - MOST_LINES + 1} more"


def test_a_sentence_comes_once_a_file(of):
    assert of("import os\nos._exit(0)\nos._exit(1)") == (
        "hw3.py, line 2: ends the process at once",
    )


def test_names_that_are_invented_are_cut(of):
    (line,) = of("import torch\ntorch." + "a" * 5000 + " = 1")
    assert len(line) < 120


@pytest.mark.parametrize(
    "name", ["torch.py", "torch/__init__.py", "json.py", "grader.py", "conftest.py", "a/random.py"]
)
def test_files_that_shadow_a_module_are_named(of, name):
    assert of("x = 1", name) == (f"{name} has the name of a module that others import",)


@pytest.mark.parametrize("name", ["utils.py", "model.py", "test.py", "code/hw3.py", "__init__.py"])
def test_files_of_ordinary_names_are_not(of, name):
    assert of("x = 1", name) == ()


def test_nothing_is_imported_or_run(of):
    of("import this_is_imported_by_nobody\nimport grader.pytest_plugin")
    assert "this_is_imported_by_nobody" not in sys.modules
