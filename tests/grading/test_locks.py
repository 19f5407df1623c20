"""One run per results folder, and nothing that a killed run leaves behind stays for long."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from grader.errors import UsageError
from grader.grading import locks

HOLD = """\
import sys, pathlib
from grader.grading import locks
with locks.only_run_in(pathlib.Path(sys.argv[1])), locks.workspace() as workspace:
    (workspace / "hand-in").mkdir()
    print(workspace, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


@pytest.fixture
def other_run(tmp_path, temporary):
    """Another process at work in `tmp_path`, with a workspace."""
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as process:
        process.workspace = Path(process.stdout.readline().strip())
        yield process
        process.kill()


def test_a_second_run_in_the_same_folder_is_refused(tmp_path, other_run):
    with pytest.raises(UsageError) as caught, locks.only_run_in(tmp_path):
        pass
    assert f"another `grade` is at work in {tmp_path}; found process {other_run.pid}" in str(
        caught.value
    )
    other_run.kill()
    other_run.wait()
    with locks.only_run_in(tmp_path):
        assert (tmp_path / ".lock").read_text() == f"{os.getpid()}\n"


def test_a_workspace_is_gone_after_its_run(temporary):
    with locks.workspace() as folder:
        (folder / "x").write_text("")
        assert folder.parent == temporary
    assert not list(temporary.iterdir())


def test_the_workspace_of_a_killed_run_is_removed_by_the_next_and_a_living_one_is_not(
    temporary, other_run
):
    (temporary / "grade-of-somebody").mkdir()
    with locks.workspace():
        assert other_run.workspace.is_dir()
    other_run.kill()
    other_run.wait()
    assert other_run.workspace.is_dir()
    with locks.workspace():
        assert not other_run.workspace.exists()
    assert [child.name for child in temporary.iterdir()] == ["grade-of-somebody"]
