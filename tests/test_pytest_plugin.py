"""`pytest FOLDER` as a student runs it: real pytest, real sandboxes."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from grader.assignment import find

HAND_INS = Path(__file__).parent / "submissions"


def run_pytest(folder, *arguments, **environment):
    done = subprocess.run(
        [sys.executable, "-m", "pytest", str(folder), *arguments],
        cwd=folder.parent,
        env=os.environ | {"COLUMNS": "100"} | environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def home_of(tmp_path, script):
    folder = tmp_path / "my homework"
    folder.mkdir()
    (folder / "assignment.toml").write_text('assignment = "hw3"\n')
    shutil.copy(script, folder / "hw3.py")
    return folder


@pytest.fixture(scope="module")
def template_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("student") / "hw3"
    shutil.copytree(find("hw3").template, folder)
    return run_pytest(folder)


def test_the_untouched_template_earns_what_the_base_code_deserves(template_run):
    code, printed = template_run
    assert code == 1
    assert "0 of 1  t3.detect" in printed
    assert "0 of 1  t3.even" in printed
    assert "0.5 of 1  t4.run" in printed
    assert "0.5 of 3  for the code" in printed
    assert "12 more points are for the report" in printed


def test_a_miss_is_told_in_words_with_a_hint_and_without_our_source(template_run):
    _, printed = template_run
    assert "expected 20 layers over 5 GPUs" in printed
    assert "seen: 10, 10, 0, 0, 0" in printed
    line = "layer = nn.Sequential(nn.Linear(dim, dim), nn.ReLU()).to(device0)"
    assert f"where: hw3.py, line 37: {line}" in printed
    assert "try: " in printed
    assert "def test_" not in printed


def test_a_full_solution_passes_whatever_the_student_has_set(tmp_path):
    folder = home_of(tmp_path, HAND_INS / "right" / "count_at_import" / "hw3.py")
    code, printed = run_pytest(folder, VGPU="2", CUDA_VISIBLE_DEVICES="0")
    assert code == 0, printed
    assert "3 of 3  for the code" in printed


def test_what_a_person_must_decide_is_no_failure(tmp_path):
    folder = home_of(tmp_path, HAND_INS / "pending" / "detaches_layer_norm" / "hw3.py")
    code, printed = run_pytest(folder, "-rs")
    assert code == 0, printed
    assert "? of 1  t4.run" in printed
    assert "a person will look" in printed


def test_an_unknown_assignment_is_named(tmp_path):
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "assignment.toml").write_text('assignment = "hw33"\n')
    code, printed = run_pytest(tmp_path / "x")
    assert code == 2
    assert "there is no assignment 'hw33'; expected hw3" in printed


def test_an_assignment_file_without_an_assignment_says_what_to_write(tmp_path):
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "assignment.toml").write_text("asignment = 3\n")
    code, printed = run_pytest(tmp_path / "x")
    assert code == 2
    assert "assignment.toml" in printed
    assert "asignment" in printed


def test_the_student_path_needs_nothing_that_windows_lacks():
    blocker = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name in {"resource", "fcntl", "pwd", "grp", "termios"}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Missing())
sys.modules.pop("resource", None)
import grader.pytest_plugin, grader.judge.prober, grader.sandbox.host, grader.judge.award
import grader.checking.run, grader.sandbox.worker, grader.sandbox.probes
import grader.intake, grader.sandbox.launching, grader.sandbox.cold
print("ok")
"""
    done = subprocess.run(
        [sys.executable, "-c", blocker], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "ok", done.stderr


def test_what_is_too_large_for_a_hand_in_is_said_and_an_environment_does_not_count(tmp_path):
    folder = home_of(tmp_path, HAND_INS / "right" / "count_at_import" / "hw3.py")
    (folder / ".venv").mkdir()
    for place, code in ((".venv", 0), (".", 2)):
        with (folder / place / "data.bin").open("wb") as data:
            data.truncate(2**32)
        found, printed = run_pytest(folder, "--collect-only", "-q")
        assert found == code, printed
    assert "it is larger than" in printed
