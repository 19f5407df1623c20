"""Grading a class as a whole: nobody's trouble costs another their grade."""

import json
import tomllib
from pathlib import Path

import pytest

from grader.grading import grade_class

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(600)
def test_the_demo_class_earns_what_was_worked_out_by_hand(tmp_path):
    expected = tomllib.loads((ROOT / "tests/submissions/demo_expected.toml").read_text("utf-8"))
    seen = []
    result = grade_class(
        ROOT / "submissions",
        tmp_path,
        jobs=2,
        progress=lambda done, total, running: seen.append((done, total, tuple(running))),
    )
    assert not result.failed
    assert [s.submission for s in result.scores] == sorted(expected)
    assert seen[0] == (0, len(expected), tuple(sorted(expected)[:2]))
    assert [done for done, *_ in seen] == sorted(done for done, *_ in seen)
    assert seen[-1][:2] == (len(expected), len(expected))
    for score in result.scores:
        earned = {c.id: c.earned for c in score.criteria if c.kind == "code"}
        wanted = expected[score.submission]
        pending = wanted.pop("pending", [])
        assert earned == wanted | dict.fromkeys(pending), score.submission
        stored = json.loads((tmp_path / score.submission / "score.json").read_text("utf-8"))
        assert stored["total"] == sum(wanted.values())
        assert stored["possible"] == 15
