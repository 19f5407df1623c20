"""Runs a folder of tests in a process of its own: one that is switched over for good."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

Results = dict[str, list[tuple[str, str | None]]]


def names(folder: Path) -> list[str]:
    """Every test function of the folder, as "file::test"."""
    return [
        f"{file.stem}::{node.name}"
        for file in sorted(folder.glob("test_*.py"))
        for node in ast.parse(file.read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]


def results(folder: Path, report: Path) -> Results:
    """By "file::test", each case that ran with its failure text; None for a pass."""
    command = [sys.executable, "-m", "pytest", str(folder), "-q", f"--junitxml={report}"]
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


def check(name: str, found: Results) -> None:
    """Fail where the test did not run or one of its cases did not pass."""
    assert name in found, f"{name} did not run"
    failures = [f"{case}\n{text}" for case, text in found[name] if text is not None]
    assert not failures, "\n\n".join(failures)
