"""Forgeries that fool a pytest in their own process: shown fooling it, shown losing here."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from forgeries import FORGERIES, HONEST, WRONG

from grader.assignment import find
from grader.judge import judge
from grader.records import Kind, State

HERE = Path(__file__).parent
FORGED = HERE.parent / "submissions" / "forged"
#: Of the forged hand-ins that other tests judge, those that fool this pytest, too.
ALSO_FOOLING = (
    "atexit_writes_results",
    "claims_one_gpu",
    "exit_at_import",
    "exit_in_forward",
    "fake_frames",
)


def test_they_fool_pytest_in_the_same_process(tmp_path):
    folders = []
    for name, text in (FORGERIES | {"honest": HONEST, "wrong": WRONG}).items():
        folders.append(tmp_path / name)
        folders[-1].mkdir()
        (folders[-1] / "hw3.py").write_text(text)
    for name in ALSO_FOOLING:
        folders.append(tmp_path / name)
        shutil.copytree(FORGED / name, folders[-1])
    done = subprocess.run(
        [sys.executable, str(HERE / "naive" / "run_each.py"), *map(str, folders)],
        capture_output=True,
        text=True,
        timeout=250,
        check=True,
    )
    codes = dict(zip((f.name for f in folders), map(int, done.stdout.split()), strict=True))
    assert codes.pop("honest") == 0
    assert codes.pop("wrong") == 1
    assert codes == dict.fromkeys(codes, 0)
    assert len(codes) >= 13


@pytest.mark.parametrize("name", FORGERIES)
def test_they_lose_here(name, hand_in, rubric, launcher):
    folder = hand_in({"hw3.py": FORGERIES[name]})
    verdict = judge(find("hw3"), rubric, folder, [Path("hw3.py")], launcher)
    for score in verdict.criteria.values():
        assert score.earned in (0.0, None), (score.id, score.evidence)
        assert score.state in (State.FINAL, State.PENDING)


def test_the_honest_one_wins_here(hand_in, rubric, launcher):
    folder = hand_in({"hw3.py": HONEST})
    verdict = judge(find("hw3"), rubric, folder, [Path("hw3.py")], launcher)
    full = {c.id: c.points for c in rubric.criteria if c.kind is Kind.CODE}
    assert {id_: score.earned for id_, score in verdict.criteria.items()} == full
