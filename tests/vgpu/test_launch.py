"""Which processes of a command leave a trace, however they end."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.errors import UsageError
from grader.vgpu.launch import TIMED_OUT, Outcome, command_line, launch, read_traces
from grader.vgpu.settings import Settings

ROOT = Path(__file__).parents[2]
WORK = "import sys, torch\nx = torch.ones(2, device='cuda:1').sum()\n"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run a script with two GPUs."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    for name in ("RANK", "WORLD_SIZE", "VGPU"):
        monkeypatch.delenv(name, raising=False)

    def start(script: str, timeout: float = 60, **variables: str) -> Outcome:
        path = tmp_path / "script.py"
        path.write_text(script)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return launch(command_line([str(path)]), Settings(2), timeout)

    return start


@pytest.mark.parametrize(
    ("end", "code"),
    [("sys.exit(3)", 3), ("raise ValueError('no')", 1), ("torch.cuda.init()", 0)],
)
def test_a_trace_is_left_however_a_process_ends(run, end: str, code: int) -> None:
    outcome = run(WORK + end)
    assert outcome.code == code
    (process,) = outcome.run.processes
    assert process.rank is None
    assert process.trace.used() == [1]


def test_a_rank_is_told_by_the_environment(run) -> None:
    outcome = run(WORK, RANK="3", WORLD_SIZE="5")
    assert [p.name for p in outcome.run.processes] == ["rank 3"]
    assert outcome.run.missing() == [0, 1, 2, 4]


def test_processes_that_used_no_gpu_leave_none(run) -> None:
    outcome = run(
        WORK
        + """
from torch.utils.data import DataLoader
batches = list(DataLoader(torch.arange(8.0), batch_size=4, num_workers=2))
assert len(batches) == 2
assert torch.cuda.device_count() == 2
"""
    )
    assert outcome.code == 0
    (process,) = outcome.run.processes
    assert process.trace.used() == [1]


def test_a_forked_process_leaves_its_own(run) -> None:
    outcome = run(
        """
import multiprocessing, torch

def work():
    torch.ones(3, device="cuda:1")

if __name__ == "__main__":
    child = multiprocessing.get_context("fork").Process(target=work)
    child.start()
    child.join()
    assert child.exitcode == 0
    torch.ones(3, device="cuda:0")
"""
    )
    assert outcome.code == 0
    assert sorted(process.trace.used() for process in outcome.run.processes) == [[0], [1]]


def test_a_command_that_never_ends(run) -> None:
    assert run("import time\ntime.sleep(60)", timeout=1).code == TIMED_OUT


def test_the_commands_that_are_known() -> None:
    assert command_line(["torchrun", "--standalone", "a.py"])[1:] == [
        *("-m", "torch.distributed.run", "--standalone", "a.py"),
    ]
    assert command_line(["-m", "package.module", "x"])[1:] == ["-m", "package.module", "x"]
    assert command_line(["a.py", "x"])[1:] == ["a.py", "x"]


def test_a_damaged_trace_is_named(tmp_path: Path) -> None:
    (tmp_path / "rank0-1.json").write_text('{"rank": "zero"}')
    with pytest.raises(UsageError, match=r"rank0-1\.json; expected the trace of a process"):
        read_traces(tmp_path)
