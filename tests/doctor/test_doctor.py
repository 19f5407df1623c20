"""`grade doctor`: what it says, and its exit code."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from click.testing import CliRunner

from grader import doctor
from grader.cli import main
from grader.doctor import machine, trial


@pytest.fixture
def doctored(monkeypatch, tmp_path):
    """Run the command with these programs only; returns exit code and text."""

    def run(programs, *arguments):
        for name, text in programs.items():
            (tmp_path / f"{name}.py").write_text(text)
        monkeypatch.setattr(doctor, "program_names", lambda: list(programs))
        honest = trial.try_program
        monkeypatch.setattr(doctor, "try_program", lambda z, name: honest(z, name, tmp_path))
        done = CliRunner().invoke(main, ["doctor", *arguments], catch_exceptions=False)
        return done.exit_code, done.output

    return run


CONTAINED = '"""reads what it must not"""\nopen("/etc/shadow")'
ESCAPING = '"""gets out"""\nprint("ESCAPED: into the open")'


def test_what_is_contained_is_said_feature_by_feature(doctored):
    code, text = doctored({"reads": CONTAINED})
    assert code == 0
    assert "1 of 1 contained." in text
    assert "reads what it must not" in text
    for name in ("Python", "torch", "GPUs", "Slurm", "fonts", "namespaces", "landlock", "seccomp"):
        assert name in text


def test_one_that_gets_out_is_named_and_the_exit_code_is_1(doctored):
    code, text = doctored({"reads": CONTAINED, "escapes": ESCAPING})
    assert code == 1
    assert "1 of 2 contained." in text
    assert "ESCAPED: into the open" in text


def test_nothing_hostile_is_run_where_nothing_would_hold_it(doctored):
    code, text = doctored({"escapes": ESCAPING}, "--without", "namespaces", "--without", "landlock")
    assert code == 1
    assert "sandbox: limits" in text
    assert "left out on request" in text
    assert "not run: nothing here would hold them" in text
    assert "ESCAPED" not in text


def test_real_gpus_are_listed_as_their_driver_names_them(monkeypatch):
    answer = subprocess.CompletedProcess([], 0, "NVIDIA A100\nNVIDIA H100\n")
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: answer)
    found = {fact.name: fact.text for fact in machine.facts()}
    assert found["GPUs"] == "NVIDIA A100, NVIDIA H100"
    assert found["Slurm"] == "/usr/bin/sbatch"


def test_a_missing_torch_is_a_failure(monkeypatch):
    def missing(name):
        raise machine.PackageNotFoundError(name)

    monkeypatch.setattr(machine, "version", missing)
    found = {fact.name: fact for fact in machine.facts()}
    assert not found["torch"].ok
    assert "pip install" in found["torch"].text
