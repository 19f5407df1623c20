"""Runs behaviours/ in one process of its own, on 5 virtual GPUs, and reports each test of it."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

FOLDER = Path(__file__).parent / "behaviours"
NAMES = [
    f"{file.stem}::{node.name}"
    for file in sorted(FOLDER.glob("test_*.py"))
    for node in ast.parse(file.read_text("utf-8")).body
    if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
]
Results = dict[str, list[tuple[str, str | None]]]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """By "file::test", each case that ran with its failure text; None for a pass."""
    report = tmp_path_factory.mktemp("behaviours") / "report.xml"
    command = [sys.executable, "-m", "pytest", str(FOLDER), "-q", f"--junitxml={report}"]
    command += ["-p", "no:cacheprovider", "-p", "no:grader"]
    child = subprocess.run(
        command,
        env={**os.environ, "VGPU": "5", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=280,
        check=False,
    )
    assert report.exists(), child.stdout + child.stderr
    found: Results = {}
    for case in ET.parse(report).iter("testcase"):
        key = f"{case.get('classname', '').split('.')[-1]}::{case.get('name', '').split('[')[0]}"
        trouble = next((c for c in case if c.tag in ("failure", "error", "skipped")), None)
        text = None if trouble is None else trouble.text or trouble.get("message") or trouble.tag
        found.setdefault(key, []).append((str(case.get("name")), text))
    return found


@pytest.mark.parametrize("name", NAMES)
def test_behaviour(name: str, results: Results) -> None:
    assert name in results, f"{name} did not run"
    failures = [f"{case}\n{text}" for case, text in results[name] if text is not None]
    assert not failures, "\n\n".join(failures)
