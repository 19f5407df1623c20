"""Bombs in hand-ins: each ends in a clear line, and a neighbour does not suffer."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest
from batches import fuzz
from bombs import BOMBS, SLOW
from fuzz_intake import refuse_unclear
from odd_classes import write
from report_bombs import DOCXS, PDFS, REPORT_BOMBS

from grader.grading import grade_class, results
from grader.records import Kind, State
from grader.sandbox.host import Launcher
from grader.sandbox.reader import LIMITS, read_report

HERE = Path(__file__).parent
HONEST = HERE.parent / "submissions" / "right" / "count_at_import" / "hw3.py"


@pytest.mark.timeout(600)
def test_a_bomb_is_a_hand_in_with_a_problem_at_most() -> None:
    result = fuzz(HERE / "bombs.py", len(BOMBS) - len(SLOW))  # all: make fuzz
    assert (result.crashes, result.hangs) == ({}, {}), result
    assert result.read > 5  # a script that is a bomb is read, and fails when it is run
    assert result.refused > 20
    # 600 MB of it are what a worker may take in a sandbox; the allocator may keep them for a while
    assert result.memory[0] < 1280 << 20, result


@pytest.mark.parametrize("name", REPORT_BOMBS)
def test_a_report_that_is_a_bomb_is_read_or_refused_in_time(
    launcher: Launcher, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_bytes(REPORT_BOMBS[name]())
    start = time.perf_counter()
    report = read_report(launcher, tmp_path, Path(name))
    assert time.perf_counter() - start < LIMITS.wall + 10
    assert report.problem or report.text.strip()
    assert "root:" not in report.text  # /etc/passwd
    if report.problem:
        refuse_unclear(report.problem)


#: What the instructor reads of each: of the hand-in as a whole, or of what its code shows.
SAID = {
    "42.zip": "too deep: an archive in 3 others",
    "a zip of itself": "r/r/r.zip is too deep: an archive in 3 others",
    "overlapping entries": "unpacks to far more than a homework",
    "zips of 30,000 folders": "more than 50 folders in one another",
    "1,000,000 entries": "holds far too many files",
    "less than nothing": "damaged tar archive (a size in it is wrong)",
    "much about all files": "damaged tar archive (a size in it is wrong)",
    "a notebook of cells": "longer than 400000 characters or 2000 cells",
    "a script of signs": "nested too deeply",
    "a script of 50 MB": "too large for a script",
}


@pytest.mark.timeout(600)
def test_a_class_of_bombs_is_graded_and_the_neighbour_earns_all(tmp_path: Path) -> None:
    submissions = tmp_path / "submissions"
    (submissions / "ann").mkdir(parents=True)
    shutil.copy(HONEST, submissions / "ann" / "hw3.py")
    ids = {}
    for number, name in enumerate(SAID):
        for path, content in BOMBS[name]().items():
            write(submissions / path.replace("s01", f"b{number:02}", 1), content)
        ids[f"b{number:02}"] = SAID[name]
    reports = {"pdf": PDFS["4 GB of zeros, packed thrice"], "docx": DOCXS["a billion laughs"]}
    for ending, make in reports.items():
        write(submissions / ending / "hw3.py", HONEST.read_bytes())
        write(submissions / ending / f"report.{ending}", make())

    result = grade_class(submissions, tmp_path / "out", jobs=2, progress=lambda *_: None)

    assert result.failed == {}
    scores = {score.submission: score for score in results.stored(tmp_path / "out")}
    assert sorted(scores) == sorted(["ann", *ids, *reports])
    for honest in ("ann", *reports):
        code = [c for c in scores[honest].criteria if c.kind is Kind.CODE]
        assert {c.id: c.earned for c in code} == {c.id: c.points for c in code}, honest
    for bomb, said in ids.items():
        criteria = [c for c in scores[bomb].criteria if c.kind is Kind.CODE]
        assert all(c.earned in (0.0, None) and c.state is not State.PROVISIONAL for c in criteria)
        texts = [scores[bomb].problem or "", *(c.evidence for c in criteria)]
        assert any(said in text for text in texts), (bomb, texts)
        refuse_unclear(scores[bomb].problem or "-")
    for ending in reports:
        text = str([c.evidence for c in scores[ending].criteria])
        assert f"report.{ending} " in text, text
