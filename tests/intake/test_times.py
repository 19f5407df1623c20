from __future__ import annotations

import os
import struct
import zipfile
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from grader.intake import ClassSettings, arrived, handed_in, lateness, read_class
from grader.intake.archives import newest, unpack
from grader.intake.times import changed

MOMENT = datetime(2026, 4, 30, 23, 50, tzinfo=UTC)


def make(path: Path, moment: datetime, extra: bytes = b"", name: str = "hw3.py") -> Path:
    info = zipfile.ZipInfo(name, moment.timetuple()[:6])
    info.extra = extra
    path.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(info, "1")
    return path


def test_a_zip_keeps_local_time(tmp_path: Path) -> None:
    """In the deadline's zone: students and their deadline are in one."""
    path = make(tmp_path / "class/ann.zip", MOMENT)
    tallinn = timezone(timedelta(hours=3))
    assert newest(path, UTC) == MOMENT.timestamp()
    assert newest(path, tallinn) == MOMENT.timestamp() - 3 * 3600
    os.utime(path, (MOMENT.timestamp() + 9e6,) * 2)
    [entry] = read_class(path.parent).entries
    assert handed_in(entry, tallinn) == MOMENT.timestamp() - 3 * 3600
    deadline = datetime(2026, 4, 30, 23, 59, tzinfo=tallinn)
    assert lateness(entry, ClassSettings(deadline=deadline)) is None


def test_a_zip_of_linux_or_macos_is_exact(tmp_path: Path) -> None:
    exact = struct.pack("<HHBL", 0x5455, 5, 1, int(MOMENT.timestamp()) + 3)
    path = make(tmp_path / "ann.zip", MOMENT, struct.pack("<HH", 0x7875, 0) + exact)
    assert newest(path, timezone(timedelta(hours=9))) == MOMENT.timestamp() + 3
    unpack(path, tmp_path / "out")
    assert (tmp_path / "out/hw3.py").stat().st_mtime == MOMENT.timestamp() + 3


@pytest.mark.parametrize("extra", [b"", b"UT\1\0\0", b"UT\5\0\0\1\1\1\1"])
def test_a_time_that_is_none(tmp_path: Path, extra: bytes) -> None:
    assert newest(make(tmp_path / "ann.zip", datetime(1980, 1, 1, tzinfo=UTC), extra)) is None
    assert newest(make(tmp_path / "b.zip", MOMENT, b"", "venv/pyvenv.cfg")) is None


def test_the_earlier_of_two_clocks_counts(tmp_path: Path) -> None:
    path = make(tmp_path / "ann.zip", MOMENT)
    os.utime(path, (10**9, 10**9))
    assert changed(path, UTC) == 10**9
    path.write_bytes(b"PK no zip")
    os.utime(path, (10**9, 10**9))
    assert changed(path, UTC) == 10**9


def test_a_clone_has_the_times_of_its_cloning(tmp_path: Path) -> None:
    """So nobody is late by them; it has arrived all the same."""
    (tmp_path / "hw3-ann/.git").mkdir(parents=True)
    (tmp_path / "hw3-ann/hw3.py").write_text("1")
    [entry] = read_class(tmp_path).entries
    assert handed_in(entry) is None
    assert arrived(entry) == (tmp_path / "hw3-ann/hw3.py").stat().st_mtime


def test_an_archive_arrived_when_it_was_put_there(tmp_path: Path) -> None:
    path = make(tmp_path / "ann.zip", MOMENT)
    os.utime(path, (2 * 10**9, 2 * 10**9))
    [entry] = read_class(tmp_path).entries
    assert arrived(entry) == 2 * 10**9


def test_the_newest_of_all_parts(tmp_path: Path) -> None:
    for kind, when in (("file", 10**9), ("onlinetext", 10**9 + 5)):
        path = tmp_path / f"Ann_7_assignsubmission_{kind}_" / "x.py"
        path.parent.mkdir()
        path.write_text("1")
        os.utime(path, (when, when))
    [entry] = read_class(tmp_path).entries
    assert handed_in(entry) == 10**9 + 5
