"""Runs per_device/ in one process of its own, where each virtual GPU has its generator."""

from __future__ import annotations

from pathlib import Path

import pytest
from in_child import Results, check, names
from in_child import results as run

FOLDER = Path(__file__).parent / "per_device"


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return run(FOLDER, tmp_path_factory.mktemp("per_device") / "report.xml")


@pytest.mark.parametrize("name", names(FOLDER))
def test_per_device(name: str, results: Results) -> None:
    check(name, results)
