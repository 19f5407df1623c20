"""Runs folders of tests, each in a process of its own: one that is switched over for good."""

from __future__ import annotations

import ast
import functools
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

HERE = Path(__file__).parent
#: What the conftest.py of each folder installs, and what comes before it.
CHILDREN: dict[str, tuple[str, tuple[str, ...]]] = {
    "5 GPUs": ("behaviours", ()),
    "5 GPUs, the carrier the only way in": ("behaviours", ("-p", "carrier_only")),
    "a generator per GPU": ("per_device", ()),
    "a virtual clock": ("clock/simulated", ()),
}
#: By "file::test", each case that ran with its failure text; None for a pass.
Results = dict[str, list[tuple[str, str | None]]]


def names(folder: str) -> Iterator[str]:
    """Every test function of the folder, as "file::test"."""
    for file in sorted((HERE / folder).glob("test_*.py")):
        for node in ast.parse(file.read_text("utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                yield f"{file.stem}::{node.name}"


def run(folder: str, options: tuple[str, ...], report: Path) -> Results:
    command = [sys.executable, "-m", "pytest", str(HERE / folder), "-q", f"--junitxml={report}"]
    child = subprocess.run(
        [*command, *options, "-p", "no:cacheprovider", "-p", "no:grader"],
        # Without VGPU: a plugin comes before the devices, which the folder's conftest.py installs.
        env={**os.environ, "VGPU": "", "PYTHONPATH": search_path(), "OMP_NUM_THREADS": "1"},
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


def search_path() -> str:
    return os.pathsep.join(filter(None, (str(HERE), os.environ.get("PYTHONPATH"))))


@pytest.fixture(scope="module")
def results_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Results]:
    """What a child's tests said; it is started once, by the first who asks."""

    @functools.cache
    def results_of(child: str) -> Results:
        return run(*CHILDREN[child], tmp_path_factory.mktemp("child") / "report.xml")

    return results_of


@pytest.mark.parametrize(
    ("child", "name"),
    [(child, name) for child, (folder, _) in CHILDREN.items() for name in names(folder)],
)
def test_behaviour(child: str, name: str, results_of: Callable[[str], Results]) -> None:
    results = results_of(child)
    assert name in results, f"{name} did not run"
    failures = [f"{case}\n{text}" for case, text in results[name] if text is not None]
    assert not failures, "\n\n".join(failures)
