"""Runs behaviours/ in one process of its own, on 5 virtual GPUs, and reports each test of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from in_child import Results, check, names
from in_child import results as run

FOLDER = Path(__file__).parent / "behaviours"


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return run(FOLDER, tmp_path_factory.mktemp("behaviours") / "report.xml")


@pytest.mark.parametrize("name", names(FOLDER))
def test_behaviour(name: str, results: Results) -> None:
    check(name, results)
