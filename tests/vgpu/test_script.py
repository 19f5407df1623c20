"""A script started by `vgpu` finds the world as `python script.py` shows it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from grader.errors import UsageError
from grader.vgpu import script

VGPU = ("-m", "grader.vgpu.cli", "-n", "2")

WORLD = """\
import atexit, os, pickle, sys, threading
import neighbour

class Thing:
    pass

def farewell():
    print("bye", __name__, Thing.__name__)

atexit.register(farewell)
thread = threading.Thread(target=lambda: print("thread", __name__))
thread.start()
thread.join()
main = sys.modules["__main__"]
print(main.Thing is Thing, type(pickle.loads(pickle.dumps(Thing()))) is Thing)
print(__file__, __name__, __spec__, __package__, main.__file__ == __file__)
print(sys.argv, sys.path[0], neighbour.__name__)
print(input(), sys.stdin.read())
sys.exit(3)
"""

SPAWN = """\
import torch
import torch.multiprocessing as mp

def work(rank, out):
    x = torch.ones(2, device=f"cuda:{rank}") * (rank + 1)
    out[rank] = x.sum().item()

if __name__ == "__main__":
    out = mp.Manager().dict()
    mp.spawn(work, args=(out,), nprocs=2)
    print(sorted(out.items()))
"""


def shown(stderr: str) -> str:
    """What the script itself wrote."""
    return stderr.partition("-- virtual GPUs")[0]


def test_the_world_is_pythons(python, tmp_path: Path) -> None:
    (tmp_path / "neighbour.py").write_text("", "utf-8")
    path = tmp_path / "world.py"
    path.write_text(WORLD, "utf-8")
    environment = {**os.environ, "PYTHONPATH": str(Path(script.__file__).parents[2])}
    environment.pop("VGPU", None)
    runs = [
        subprocess.run(
            [sys.executable, *before, "world.py", "--lr", "1"],
            cwd=tmp_path,
            env=environment,
            input="first\nand the rest",
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        for before in ((), VGPU)
    ]
    plain, virtual = runs
    assert (virtual.returncode, virtual.stdout) == (plain.returncode, plain.stdout)
    assert plain.returncode == 3
    assert f"['world.py', '--lr', '1'] {tmp_path} neighbour" in plain.stdout
    assert "True True" in plain.stdout


def test_children_of_a_script_are_spawned(python, tmp_path: Path) -> None:
    (tmp_path / "spawning.py").write_text(SPAWN, "utf-8")
    child = python(*VGPU, "spawning.py")
    assert (child.stdout, child.returncode) == ("[(0, 2.0), (1, 4.0)]\n", 0), child.stderr


def test_modules_and_packages(python, tmp_path: Path) -> None:
    package = tmp_path / "pack"
    package.mkdir()
    (package / "__init__.py").write_text("", "utf-8")
    (package / "part.py").write_text(
        "import sys; from . import other; print(__name__, __package__, other.N, sys.argv[1:])",
        "utf-8",
    )
    (package / "other.py").write_text("N = 7", "utf-8")
    (package / "__main__.py").write_text("from . import other; print('main', other.N)", "utf-8")
    assert python(*VGPU, "-m", "pack.part", "-n", "9").stdout == "__main__ pack 7 ['-n', '9']\n"
    assert python(*VGPU, "-m", "pack").stdout == "main 7\n"


ENDS = {
    "a syntax error": ("x = = 1", 1, "SyntaxError: invalid syntax"),
    "a null byte": ("x = 1\0", 1, "source code string cannot contain null bytes"),
    "a missing package": (
        "import cv2_missing.core",
        1,
        "Fix: Hand in all files of yours. If it is a package: pip install cv2_missing.",
    ),
    "a slip in a library": (
        "import json\njson.loads({'a': 1}['b'])",
        1,
        "script.py:2: json.loads({'a': 1}['b'])\n      There is no entry 'b' in the dictionary.\n"
        "      Fix: Print its keys",
    ),
    "no parameters": (
        "import torch\noptimizer = torch.optim.SGD([], lr=0.1)",
        1,
        "script.py:2: optimizer = torch.optim.SGD([], lr=0.1)\n"
        "      The model shows no parameters: torch does not look for layers in plain lists.\n"
        "      Fix: Keep the layers in an nn.ModuleList or nn.Sequential.",
    ),
    "at once": ("import os; os._exit(5)", 5, ""),
    "a signal": (
        "import os, signal; os.kill(os.getpid(), signal.SIGTERM)",
        -signal.SIGTERM,
        "",
    ),
    "an interrupt": ("raise KeyboardInterrupt", 130, "KeyboardInterrupt"),
    "text": ("raise SystemExit('enough')", 1, "enough"),
    "end of input": ("input()", 1, "EOFError: EOF when reading a line"),
    "click": (
        "import click; raise click.UsageError('theirs')",
        1,
        "click.exceptions.UsageError: theirs",
    ),
    "a group": (
        "import torch\n"
        "try:\n"
        "    torch.ones(1).cuda(7)\n"
        "except RuntimeError as error:\n"
        "    raise ExceptionGroup('both', [error, ValueError('b')])",
        1,
        "There are 2 GPUs, cuda:0 to cuda:1. This line asks for cuda:7.",
    ),
}


@pytest.mark.parametrize("case", ENDS)
def test_ends(tmp_path: Path, case: str) -> None:
    body, code, words = ENDS[case]
    path = tmp_path / "script.py"
    path.write_text(body, "utf-8")
    child = subprocess.run(
        [sys.executable, *VGPU, path],
        env={**os.environ, "PYTHONPATH": str(Path(script.__file__).parents[2])},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    text = shown(child.stderr)
    assert (child.returncode, child.stdout) == (code, "")
    assert words in text
    for ours in ("grader", "runpy", "<frozen", "click/core"):
        assert ours not in text


def test_what_a_script_raises_itself_it_explains_itself(python, tmp_path: Path) -> None:
    path = tmp_path / "script.py"
    path.write_text("import torch\nraise KeyError('gpus')", "utf-8")
    assert shown(python(*VGPU, path).stderr).endswith("raise KeyError('gpus')\nKeyError: 'gpus'\n")


def test_the_environments_way_shows_the_same_traceback(python, tmp_path: Path) -> None:
    path = tmp_path / "script.py"
    path.write_text("import torch\nx = torch.ones(2).cuda()\nx.numpy()\n", "utf-8")
    ways = [python(path, VGPU="2"), python(*VGPU, path)]
    assert shown(ways[0].stderr) == shown(ways[1].stderr)
    assert [line.strip() for line in ways[0].stderr.splitlines()] == [
        "Traceback (most recent call last):",
        f'File "{path}", line 3, in <module>',
        "x.numpy()",
        "TypeError: can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() to copy the "
        "tensor to host memory first.",
        f"vgpu: {path}:3: x.numpy()",
        "NumPy (and matplotlib, pandas) read the CPU's memory only.",
        "Fix: x.detach().cpu().numpy()",
    ]


def test_a_thread_that_fails(python, tmp_path: Path) -> None:
    path = tmp_path / "script.py"
    path.write_text(
        "import threading, torch\n"
        "def work():\n"
        "    torch.ones(2).cuda(5)\n"
        "t = threading.Thread(target=work)\nt.start()\nt.join()\n",
        "utf-8",
    )
    child = python(path, VGPU="2")
    assert (child.returncode, child.stdout) == (0, "")
    assert "This line asks for cuda:5." in child.stderr
    assert "grader" not in child.stderr


ENDLESS = """\
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
while True:
    time.sleep(0.01)
"""


def test_a_script_that_never_ends(python, tmp_path: Path) -> None:
    path = tmp_path / "endless.py"
    path.write_text(ENDLESS, "utf-8")
    child = python(*VGPU, "--timeout", "0.5", path)
    assert child.returncode == 124
    assert child.stderr in (
        f"vgpu: the script was ended after 0.5 seconds; it was at {path}:{n}\n" for n in (2, 4, 5)
    )
    deadline = time.monotonic() + 10
    while Path(f"/proc/{child.stdout.strip()}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert child.stdout.strip().isdecimal()
    assert not Path(f"/proc/{child.stdout.strip()}").exists()


def test_interrupted(tmp_path: Path) -> None:
    path = tmp_path / "script.py"
    path.write_text("import time\nprint('up', flush=True)\ntime.sleep(60)\n", "utf-8")
    with subprocess.Popen(
        [sys.executable, *VGPU, path],
        env={**os.environ, "PYTHONPATH": str(Path(script.__file__).parents[2])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "up\n"
        child.send_signal(signal.SIGINT)
        _, errors = child.communicate(timeout=30)
    assert child.returncode == 130
    assert shown(errors).splitlines()[-1] == "KeyboardInterrupt"
    assert "cuda:1" in errors  # the summary comes all the same


def test_memory_and_trace(python, tmp_path: Path) -> None:
    (tmp_path / "s.py").write_text(
        "import os, torch\n"
        "x = torch.ones(1 << 18, device='cuda:1')\n"
        "try:\n"
        "    torch.ones(1 << 20, device='cuda:1')\n"
        "except torch.OutOfMemoryError as error:\n"
        "    print(str(error)[:89], os.environ['VGPU_MEMORY'])\n",
        "utf-8",
    )
    child = python(*VGPU, "--memory", "4MiB", "--trace", "t.json", "s.py")
    assert child.stdout == (
        "CUDA out of memory. Tried to allocate 4.00 MiB. GPU 1 has a total capacity of 4.00 MiB of "
        "4194304\n"
    )
    recorded = json.loads((tmp_path / "t.json").read_text("utf-8"))
    assert recorded["devices"] == 2
    assert recorded["peak_memory"] == [0, 1 << 20]


def test_a_script_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "secret.py"
    path.write_text("", "utf-8")

    def refuse(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(UsageError) as caught:
        script.of_file(str(path), ())
    assert str(caught.value) == f"the script {path} cannot be read; found Permission denied"


OTHER = "this version of torch does not work with virtual GPUs; expected 2.9 to 2.15; found "


@pytest.mark.parametrize("found", ["2.8.1", "2.16.0a0+git", "3.0", "unknown"])
def test_another_version_of_torch(python, tmp_path: Path, found: str) -> None:
    """A stand-in for torch, which has nothing but its version."""
    package = tmp_path / "site" / "torch"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(f"__version__ = {found!r}", "utf-8")
    (tmp_path / "s.py").write_text("print('ran')", "utf-8")
    folders = f"{tmp_path / 'site'}{os.pathsep}{Path(script.__file__).parents[2]}"
    autoload = "from grader.vgpu.autoload import load; load(); print('ran')"
    for arguments in ((*VGPU, "s.py"), ("-c", autoload)):
        child = python(*arguments, PYTHONPATH=folders, VGPU="2")
        assert (child.returncode, child.stdout) == (2, "")
        assert child.stderr == f"vgpu: {OTHER}{found}; pip install 'torch>=2.9,<2.16'\n"


def test_no_torch(python, tmp_path: Path) -> None:
    (tmp_path / "s.py").write_text("print('ran')", "utf-8")
    program = (
        "import sys; sys.modules['torch'] = None; sys.argv = ['vgpu', 's.py']\n"
        "from grader.vgpu.cli import main; main()"
    )
    child = python("-c", program)
    assert (child.returncode, child.stdout) == (2, "")
    assert child.stderr == (
        "vgpu: virtual GPUs need torch, which is not installed; pip install 'torch>=2.9,<2.16'\n"
    )


def test_a_wrong_environment_is_one_line(python) -> None:
    child = python("-c", "import torch; print('ran')", VGPU="-1")
    assert (child.returncode, child.stdout) == (2, "")
    assert child.stderr == (
        "vgpu: the environment variable VGPU; expected a whole number from 0 to 128; found '-1'\n"
    )


def test_a_dry_run(python, tmp_path: Path) -> None:
    """A model of 256 TB is placed, and does not fit; nothing of it exists."""
    (tmp_path / "s.py").write_text(
        "import torch\n"
        "from torch import nn\n"
        "layer = nn.Linear(1 << 16, 1 << 16, bias=False, device='cuda:1')\n"
        "print(torch.cuda.memory_allocated(1) >> 30)\n"
        "try:\n"
        "    nn.Linear(1 << 23, 1 << 23, device='cuda:1')\n"
        "except torch.OutOfMemoryError as error:\n"
        "    print(str(error)[:55])\n",
        "utf-8",
    )
    child = python(*VGPU, "--dry", "s.py")
    assert child.stdout.splitlines() == [
        "16",
        "CUDA out of memory. Tried to allocate 262144.00 GiB. GP",
    ], child.stderr
