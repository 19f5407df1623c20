"""The assignment of docs/writing-assignments.md: its files are those of the page, and right.

Nothing in `grader/` knows of it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import grader

ROOT = Path(__file__).parents[2]
HOME = ROOT / "tests" / "assignments"
PAGE = (ROOT / "docs" / "writing-assignments.md").read_text("utf-8")
MADE = {"no_second_round", "drops_the_rest", "straight_to_all"}  # the page says how

COURSE = ("--assignments", HOME)


def run(*command, **environment):
    done = subprocess.run(
        [sys.executable, "-m", *map(str, command)],
        env=os.environ | {"COLUMNS": "140"} | environment,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def on_the_page():
    """The files that the page shows whole, by path."""
    blocks = re.findall(r"^`([\w/.]+)`:\n\n```\w+\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return dict(blocks)


def test_its_files_are_those_of_the_page():
    shown = on_the_page()
    files = {
        path.relative_to(HOME).as_posix(): path.read_text("utf-8")
        for path in HOME.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and not MADE & set(path.parts)
    }
    assert shown.keys() == files.keys()
    for name, text in shown.items():
        assert text == files[name], name


def test_the_page_names_the_hand_ins_that_it_does_not_show():
    assert {path.name for path in (HOME / "rubrics/ring/wrong").iterdir()} - {
        "whole_tensor"
    } == MADE
    for name in MADE:
        assert f"`{name}`" in PAGE


def test_it_is_right_and_the_page_shows_what_is_said_of_it():
    code, printed = run("grader.cli", "check-assignment", "ring", *COURSE)
    assert code == 0, printed
    said = PAGE.partition("```\nring\n")[2].partition("```")[0]
    assert printed.strip() + "\n" == "ring\n" + said.replace("in course\n", f"in {HOME}\n")


def test_its_reference_is_graded_like_any_hand_in(tmp_path):
    shutil.copytree(HOME / "reference" / "ring", tmp_path / "class" / "ann")
    arguments = (tmp_path / "class", "--out", tmp_path / "out", "--assignment", "ring")
    code, printed = run("grader.cli", *arguments, GRADE_ASSIGNMENTS=str(HOME))
    assert code == 0, printed
    score = json.loads((tmp_path / "out" / "ann" / "score.json").read_text("utf-8"))
    assert score["title"] == "Ring all-reduce"
    assert {c["id"]: c["earned"] for c in score["criteria"]} == {
        "t1.sum": 3.0, "t1.neighbours": 2.0, "t1.bytes": 2.0, "t2.count": 1.0, "t2.why": 2.0,
    }  # fmt: skip
    assert {c["id"] for c in score["criteria"] if c["state"] == "final"} == {
        "t1.sum", "t1.neighbours", "t1.bytes",
    }  # fmt: skip


def test_a_student_has_its_checks(tmp_path):
    code, printed = run("grader.cli", "new", "ring", tmp_path / "mine", *COURSE)
    assert code == 0, printed
    code, printed = run("pytest", tmp_path / "mine", "-p", "no:cacheprovider")
    assert code == 1
    assert "0 of 7  for the code" in printed
    shutil.copy(HOME / "reference" / "ring" / "ring.py", tmp_path / "mine")
    code, printed = run("pytest", tmp_path / "mine", "-p", "no:cacheprovider")
    assert code == 0, printed
    assert "7 of 7  for the code" in printed


@pytest.mark.parametrize("word", ["ring_all_reduce", "all_reduce_ring", "Ring all-reduce"])
def test_nothing_in_the_grader_knows_of_it(word):
    for path in Path(grader.__file__).parent.rglob("*.py"):
        assert word not in path.read_text("utf-8"), path
