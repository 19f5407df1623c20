from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from grader.intake import ClassSettings, Entry, Override, lateness, read_class

DEADLINE = datetime(2026, 4, 30, 20, 59, 59, tzinfo=UTC)


def handed_in(source: Path, after: float) -> Entry:
    """The hand-in of ann, whose newest file is from `after` seconds past the deadline."""
    moment = DEADLINE.timestamp() + after
    os.utime(source / "hw3.py" if source.is_dir() else source, (moment, moment))
    [found] = read_class(source.parent).entries
    return found


def said_of(entry: Entry, settings: ClassSettings) -> str | None:
    late = lateness(entry, settings)
    return late and late.said


@pytest.fixture
def source(class_folder: Path) -> Path:
    folder = class_folder / "ann"
    (folder / "__pycache__").mkdir(parents=True)
    for name in ("hw3.py", "old.py", "__pycache__/new.pyc"):
        (folder / name).write_text("")
    os.utime(folder / "old.py", (0, 0))
    return folder


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (-3600, None),
        (0, None),
        (0.9, None),
        (40, "handed in 40 s late"),
        (14 * 60, "handed in 14 min late"),
        (2 * 3600 + 14 * 60 + 59, "handed in 2 h 14 min late"),
        (3 * 86400 + 59, "handed in 3 d late"),
        (3 * 86400 + 4 * 3600, "handed in 3 d 4 h late"),
    ],
)
def test_late_by(source: Path, after: float, said: str | None) -> None:
    assert said_of(handed_in(source, after), ClassSettings(deadline=DEADLINE)) == said


def test_an_archive_has_the_time_of_its_file(class_folder: Path) -> None:
    archive = class_folder / "ann.zip"
    archive.write_bytes(b"broken")
    found = handed_in(archive, 60)
    assert said_of(found, ClassSettings(deadline=DEADLINE)) == "handed in 1 min late"


def test_an_extension_counts(source: Path) -> None:
    late = handed_in(source, 3600)
    extended = {"ann": Override(deadline=DEADLINE + timedelta(hours=2))}
    assert lateness(late, ClassSettings(deadline=DEADLINE, overrides=extended)) is None
    others = {"bob": Override(deadline=DEADLINE + timedelta(hours=2))}
    assert lateness(late, ClassSettings(deadline=DEADLINE, overrides=others)) is not None


def test_a_deadline_without_a_zone_is_local(source: Path) -> None:
    local = DEADLINE.astimezone().replace(tzinfo=None)
    late = handed_in(source, 120)
    assert said_of(late, ClassSettings(deadline=local)) == "handed in 2 min late"


def test_without_deadline_or_files(source: Path) -> None:
    late = handed_in(source, 3600)
    assert lateness(late, ClassSettings()) is None
    for file in source.glob("*.py"):
        file.unlink()
    assert lateness(late, ClassSettings(deadline=DEADLINE)) is None
