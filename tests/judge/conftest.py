"""What tests of the judge share: whole hand-ins, judged with a fixed seed."""

from __future__ import annotations

import attrs
import pytest

from grader.assignment import find
from grader.judge import challenge, generator, judge


@pytest.fixture
def judged(rubric, launcher, hand_in, monkeypatch):
    """Judge one script, with the given widths in its first and its second try."""

    def run(text, *widths, seed="a seed", **limits):
        if widths:
            left = iter(widths)
            monkeypatch.setattr(challenge, "draw_width", lambda _: next(left))
        ours = attrs.evolve(rubric, limits=attrs.evolve(rubric.limits, **limits))
        folder = hand_in({"hw3.py": text})
        files = [file.relative_to(folder) for file in folder.rglob("*.py")]
        return judge(find("hw3"), ours, folder, files, launcher, generator(seed))

    return run
