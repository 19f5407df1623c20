"""Ctrl-C and kill -9 while students' code runs: nothing of it goes on."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from grader.assignment import find
from grader.sandbox.kernel import processes

RIGHT = Path(__file__).parents[1] / "submissions" / "right"


@pytest.fixture
def at_work(tmp_path):
    """A run that has finished one hand-in while another's code runs without end."""
    for path in (RIGHT / "round_robin", find("hw3").wrong / "endless_forward"):
        shutil.copytree(path, tmp_path / "class" / path.name)
    (tmp_path / "temporary").mkdir()
    command = [sys.executable, "-m", "grader.cli", "class", "--out", "out", "--jobs", "2"]
    with subprocess.Popen(
        [*command, "--", "class"],
        cwd=tmp_path,
        env=os.environ | {"TMPDIR": str(tmp_path / "temporary")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        score = tmp_path / "out/round_robin/score.json"
        wait_until(lambda: process.poll() is not None or score.exists())
        yield process
        process.kill()


def wait_until(true, seconds=100):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def alive(pids):
    """Those of the processes that still are; a zombie of nobody's is not."""
    return [pid for pid in pids if state(pid) not in ("", "Z")]


def state(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def test_ctrl_c_ends_students_code_at_once_and_keeps_what_is_finished(at_work, tmp_path):
    started = processes.descendants(at_work.pid)
    assert len(started) >= 5  # zygote, supervisor, keeper, student; warm judge, judge
    os.killpg(at_work.pid, signal.SIGINT)
    began = time.monotonic()
    printed, _ = at_work.communicate(timeout=60)
    assert time.monotonic() - began < 20
    assert at_work.returncode == 130, printed
    assert "1 hand-in graded." in printed
    assert "1 still to be graded" in printed
    assert "Traceback" not in printed
    wait_until(lambda: not alive(started), 10)
    assert "round_robin" in (tmp_path / "out/gradebook.csv").read_text("utf-8-sig")
    assert not list((tmp_path / "temporary").iterdir())


def test_kill_9_ends_them_too(at_work, tmp_path):
    started = processes.descendants(at_work.pid)
    at_work.kill()
    at_work.communicate(timeout=60)
    wait_until(lambda: not alive(started), 20)
