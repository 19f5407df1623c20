"""What tests of several parts share: one zygote, hand-ins from text."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs
import pytest

from grader.assignment import find
from grader.judge.prober import WorkerProber
from grader.rubric import Rubric, load_rubric
from grader.sandbox.host import Launcher
from grader.sandbox.launching import sandboxes

collect_ignore = ["assignments", "newcomer"]  # an assignment's checks, not tests of ours


@pytest.fixture(scope="session")
def launcher() -> Iterator[Launcher]:
    """The warm zygote of this process."""
    with sandboxes() as found:
        yield found.launcher


@pytest.fixture(scope="session")
def rubric() -> Rubric:
    """The rubric of Home Work 3, with limits that end an endless loop soon."""
    real = load_rubric(find("hw3"))
    limits = attrs.evolve(real.limits, build=10.0, forward=4.0, train=6.0, lost=3.9)
    return attrs.evolve(real, limits=limits)


@pytest.fixture
def hand_in(tmp_path: Path) -> Callable[[dict[str, str]], Path]:
    """Write files, given by name, into a folder as the grader would copy it."""

    def write(files: dict[str, str]) -> Path:
        folder = tmp_path.resolve() / "hand-in"
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(textwrap.dedent(text), "utf-8")
        return folder

    return write


@pytest.fixture
def probing(launcher, rubric, hand_in):
    """A prober of one hand-in: `probing({"hw3.py": text})`, or of one file's text."""
    probers: list[WorkerProber] = []

    def probe(files: dict[str, str] | str, **limits: float) -> WorkerProber:
        folder = hand_in({"hw3.py": files} if isinstance(files, str) else files)
        names = sorted(file.relative_to(folder) for file in folder.rglob("*.py"))
        bounds = attrs.evolve(rubric.limits, **limits)
        probers.append(WorkerProber(launcher, folder, names, rubric.model, bounds))
        return probers[-1]

    yield probe
    for prober in probers:
        prober.__exit__()
