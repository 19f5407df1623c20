"""`vgpu` runs scripts as Python does, and says afterwards what the GPUs did."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import torch

from grader.processes import Run
from grader.vgpu import cli

SCRIPT = """\
import json
import sys
import torch
from torch import nn
import helper

class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(4, 4).to("cuda:0")
        self.b = nn.Linear(4, 4).to("cuda:1")

    def forward(self, x):
        return self.b(self.a(x).to("cuda:1"))

if __name__ == "__main__":
    print(sys.argv[1:], helper.NAME, torch.cuda.device_count())
    loss = Model()(torch.ones(2, 4).to("cuda:0")).sum()
    loss.backward()
    sys.exit(int(sys.argv[-1]))
"""

BROKEN = """\
import torch

def add(a, b):
    return a + b

try:
    add(torch.ones(2, device="cuda:0"), torch.ones(2, device="cuda:1"))
except RuntimeError as error:
    raise ValueError("no sum") from error
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    folder = tmp_path / "home work"
    folder.mkdir()
    (folder / "helper.py").write_text("NAME = 'beside the script'\n", "utf-8")
    path = folder / "train.py"
    path.write_text(SCRIPT, "utf-8")
    return path


def test_a_script_runs_and_is_reported(python, script: Path) -> None:
    child = python("-m", "grader.vgpu.cli", "-n", "3", script, "--lr", "0.1", "-n", "7")
    assert child.stdout == "['--lr', '0.1', '-n', '7'] beside the script 3\n"
    assert child.returncode == 7
    lines = child.stderr.splitlines()
    assert lines[0].startswith("-- virtual GPUs: 3 ")
    assert [line.split("  ")[-1].strip() for line in lines[2:5]] == ["1: a", "1: b", "none"]
    rows = {" ".join(line.split()[:3]): line.split()[3:] for line in lines[6:-1]}
    assert rows["cuda:0 -> cuda:1"] == ["1", "1", "0", "0", "32", "B"]
    assert rows["cuda:1 -> cuda:0"] == ["1", "0", "1", "0", "32", "B"]
    assert rows["cpu -> cuda:0"][:1] == ["3"]


def test_a_traceback_is_the_scripts_own(python, tmp_path: Path) -> None:
    path = tmp_path / "broken.py"
    path.write_text(BROKEN, "utf-8")
    child = python("-m", "grader.vgpu.cli", "-n", "2", path)
    assert child.returncode == 1
    assert [line.strip() for line in child.stderr.splitlines() if line.strip(" ^~")][:13] == [
        "Traceback (most recent call last):",
        f'File "{path}", line 7, in <module>',
        'add(torch.ones(2, device="cuda:0"), torch.ones(2, device="cuda:1"))',
        f'File "{path}", line 4, in add',
        "return a + b",
        "RuntimeError: Expected all tensors to be on the same device, but found at least two "
        "devices, cuda:0 and cuda:1!",
        f"vgpu: {path}:4: return a + b",
        "a is on cuda:0, b is on cuda:1.",
        "Fix: b = b.to(a.device)",
        "The above exception was the direct cause of the following exception:",
        "Traceback (most recent call last):",
        f'File "{path}", line 9, in <module>',
        'raise ValueError("no sum") from error',
    ]
    assert "grader" not in child.stderr.replace(str(path), "")


@pytest.mark.parametrize(
    ("body", "code", "text"),
    [("", 0, ""), ("raise SystemExit('enough')", 1, "enough\n--")],
)
def test_exit_codes(python, tmp_path: Path, body: str, code: int, text: str) -> None:
    path = tmp_path / "script.py"
    path.write_text(body, "utf-8")
    child = python("-m", "grader.vgpu.cli", "-n", "1", path)
    assert child.returncode == code
    assert child.stderr.startswith(text)


def test_the_count_may_come_from_the_environment(python, tmp_path: Path) -> None:
    path = tmp_path / "script.py"
    path.write_text(
        "import os, torch; print(torch.cuda.device_count(), os.environ['VGPU'])", "utf-8"
    )
    assert python("-m", "grader.vgpu.cli", path, VGPU="4").stdout == "4 4\n"
    assert python("-m", "grader.vgpu.cli", "-n", "0", path, VGPU="4").stdout == "0 0\n"


WRONG = {
    "negative": (["-n", "-1", "x.py"], "whole number from 0 to 128; found '-1'"),
    "too many": (["-n", "129", "x.py"], "whole number from 0 to 128; found '129'"),
    "no number": (["-n", "two", "x.py"], "whole number from 0 to 128; found 'two'"),
    "no such script": (["-n", "2", "no such.py"], "the script no such.py does not exist"),
    "a folder": (["-n", "2", "."], "the script . is a folder"),
    "no script": (["-n", "2"], "Missing argument 'SCRIPT'."),
    "no count": (["-n"], "Option '-n' requires an argument."),
    "no such module": (["-m", "no_such.module"], "there is no module no_such.module to run"),
    "no size": (["--memory", "big", "x.py"], "such as 80GB or 512MiB; found 'big'"),
    "no time": (["--timeout", "0", "x.py"], "--timeout; expected seconds above 0; found '0'"),
    "no number of seconds": (["--timeout", "soon", "x.py"], "seconds above 0; found 'soon'"),
    "trace nowhere": (["--trace", "no/t.json", "x.py"], "is in a folder that does not exist"),
    "no such kind": (["--gpu", "B9", "x.py"], "the option --gpu; expected one of T4, V100, A100"),
    "no such clock": (["--clock", "sundial", "x.py"], "is not one of 'real', 'virtual'"),
    "no such drawing": (["--timeline", "t.bmp", "x.py"], "t.bmp"),
    "dry somewhere": (["--dry", "--on", "cpu", "x.py"], "--dry has no data to put anywhere"),
    "trace is a folder": (["--trace", ".", "x.py"], "is a folder; name a file to write"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_usage_is_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    case: str,
) -> None:
    arguments, words = WRONG[case]
    (tmp_path / "x.py").write_text("raise AssertionError('ran')", "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["vgpu", *arguments])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    out, err = capsys.readouterr()
    assert (caught.value.code, out) == (2, "")
    (line,) = err.splitlines()
    assert line.startswith("vgpu: ")
    assert words in line


STEPS = """
import time, torch
from torch import nn
model = nn.Sequential(nn.Linear(2048, 2048), nn.Linear(2048, 2048)).cuda()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
x = torch.ones(512, 2048, device="cuda:0")
for _ in range(2):
    optimizer.zero_grad()
    torch.cuda.synchronize()
    start = time.perf_counter()
    model(x).sum().backward()
    optimizer.step()
    torch.cuda.synchronize()
    print(f"{(time.perf_counter() - start) * 1e6:.1f} us")
"""


def test_simulated_time_is_shown_and_drawn(python, tmp_path: Path) -> None:
    path = tmp_path / "steps.py"
    path.write_text(STEPS, "utf-8")
    run = ("-m", "grader.vgpu.cli", "-n", "1", "--clock", "virtual")
    slow = python(*run, "--timeline", "t.svg", "--timeline", "t.json", path)
    fast = python(*run, "--gpu", "h100", path)
    (first, second), (quicker, _) = (
        [float(line.removesuffix(" us")) for line in child.stdout.splitlines()]
        for child in (slow, fast)
    )
    assert first == second > 2 * quicker  # TF32 is off: 19.5 against 67 TFLOP/s
    assert "simulated on 1 x A100: 2 steps, the median" in slow.stderr
    assert slow.stderr.splitlines()[-2:] == [
        f"timeline: {tmp_path / name}" for name in ("t.svg", "t.json")
    ]
    assert (tmp_path / "t.svg").read_text("utf-8").startswith("<svg")
    assert '"traceEvents"' in (tmp_path / "t.json").read_text("utf-8")


@pytest.mark.skipif(torch.cuda.device_count() > 0, reason="this machine has a GPU")
@pytest.mark.parametrize(
    ("option", "words"),
    [
        (("--devices", "cuda"), "real GPUs (--devices cuda); expected 2; found 0"),
        (("--on", "cuda"), "expected at least one GPU that torch can use; found none"),
    ],
)
def test_real_gpus_that_are_not_there(python, tmp_path: Path, option, words: str) -> None:
    path = tmp_path / "x.py"
    path.write_text("print('ran')", "utf-8")
    child = python("-m", "grader.vgpu.cli", "-n", "2", *option, path)
    assert (child.returncode, child.stdout) == (2, "")
    assert words in child.stderr
    assert len(child.stderr.splitlines()) == 1


def test_auto_takes_what_there_is(python, tmp_path: Path) -> None:
    path = tmp_path / "x.py"
    path.write_text("import torch; print(torch.cuda.device_count())", "utf-8")
    child = python("-m", "grader.vgpu.cli", "-n", "3", "--devices", "auto", path)
    assert child.stdout == "3\n"


RANKS = """
import os, sys, torch, torch.distributed as dist
dist.init_process_group("nccl")
rank = int(os.environ["LOCAL_RANK"])
torch.cuda.set_device(rank)
total = torch.ones(4, device="cuda") * (rank + 1)
dist.all_reduce(total)
sys.stdout.write(f"{rank} {total.tolist()} {dist.get_backend()}\\n")  # at once: both do
dist.destroy_process_group()
"""


def test_torchrun_and_the_traces_of_its_ranks(python, tmp_path: Path) -> None:
    (tmp_path / "ranks.py").write_text(RANKS, "utf-8")
    run = ("-m", "grader.vgpu.cli", "-n", "2", "--trace", "run.json", "torchrun", "--standalone")
    child = python(*run, "--nproc_per_node=2", "ranks.py")
    assert child.returncode == 0, child.stderr
    for rank in (0, 1):  # torch 2.9's gloo prints lines of its own, in between
        assert child.stdout.count(f"{rank} [3.0, 3.0, 3.0, 3.0] nccl") == 1
    assert "-- virtual GPUs: 2, processes: 2 --" in child.stderr
    assert "rank 1 with others: allreduce 1x" in child.stderr
    merged = Run.from_json(json.loads((tmp_path / "run.json").read_text("utf-8")))
    assert [merged.rank(rank).used() for rank in (0, 1)] == [[0], [1]]


SPAWNS = """
import torch
import torch.multiprocessing as mp

def work(rank):
    torch.ones(rank + 1, device=f"cuda:{rank}").sum()

if __name__ == "__main__":
    mp.spawn(work, nprocs=2)
"""


def test_processes_that_a_script_starts_are_reported(python, tmp_path: Path) -> None:
    path = tmp_path / "spawns.py"
    path.write_text(SPAWNS, "utf-8")
    child = python("-m", "grader.vgpu.cli", "-n", "2", path)
    lines = child.stderr.splitlines()
    assert lines[0].startswith("-- virtual GPUs: 2, processes: 2 --")
    assert [line.split()[2] for line in lines[2:4]] == ["cuda:0", "cuda:1"]


def test_simulated_time_is_one_processs(python, tmp_path: Path) -> None:
    child = python("-m", "grader.vgpu.cli", "--clock", "virtual", "torchrun", "x.py")
    assert (child.returncode, len(child.stderr.splitlines())) == (2, 1)
    assert child.stderr.startswith("vgpu: simulated time of several processes; leave out --clock")
