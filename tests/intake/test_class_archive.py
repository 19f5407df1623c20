from __future__ import annotations

import os
import stat
import tarfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from downloads import DEADLINE, Made, canvas, moodle
from hand_ins import make_tar, make_zip

from grader.errors import UsageError
from grader.intake import lateness, read_class


@pytest.mark.parametrize("within", ["", "HW3-12345"])
@pytest.mark.parametrize("build", [moodle, partial(moodle, as_folders=False), canvas])
def test_a_download_as_it_comes(
    tmp_path: Path, workspace: Path, build: Callable[[Path], Made], within: str
) -> None:
    made = build(tmp_path / "made")
    with tarfile.open(tmp_path / "class.tar.gz", "w:gz") as archive:
        archive.add(made.folder, within or ".")
    found = read_class(tmp_path / "class.tar.gz", workspace)
    assert {entry.id: entry.student.name for entry in found.entries} == made.names
    assert {e.id for e in found.entries if lateness(e, found.settings)} == made.late
    assert stat.S_IMODE((workspace / "class").stat().st_mode) == 0o700


def test_class_toml_in_it_or_beside_it(tmp_path: Path, workspace: Path) -> None:
    (tmp_path / "class.toml").write_text('overrides.s1.name = "beside"')
    make_zip(tmp_path / "class.zip", {"all/s1/hw3.py": "1", "all/s2.py": "1", "all/s3.zip": "1"})
    first = read_class(tmp_path / "class.zip", workspace)
    assert [entry.id for entry in first.entries] == ["s1", "s2", "s3"]
    assert first.entries[0].student.name == "beside"
    assert first.folder == tmp_path
    inside = {"s1/hw3.py": "1", "s2.py": "1", "class.toml": 'overrides.s1.name = "inside"'}
    make_zip(tmp_path / "class.zip", inside)
    (tmp_path / "second").mkdir()
    second = read_class(tmp_path / "class.zip", tmp_path / "second")
    assert second.entries[0].student.name == "inside"


def test_one_students_folders_are_no_class(tmp_path: Path, workspace: Path) -> None:
    make_zip(tmp_path / "class.zip", {"ann/src/hw3.py": "1", "ann/report.pdf": "1"})
    assert [e.id for e in read_class(tmp_path / "class.zip", workspace).entries] == ["ann"]


def test_times_are_those_of_the_files(tmp_path: Path, workspace: Path) -> None:
    made = Made(tmp_path / "made")
    made.put("s1/hw3.py", b"1", DEADLINE + 100)
    made.put("s2.py", b"1", DEADLINE - 100)
    made.put("class.toml", b"deadline = 2026-04-30T23:59:59+03:00")
    with tarfile.open(tmp_path / "class.tar", "w") as archive:
        archive.add(made.folder, ".")
    os.utime(tmp_path / "class.tar", (DEADLINE + 9999, DEADLINE + 9999))
    found = read_class(tmp_path / "class.tar", workspace)
    assert [lateness(e, found.settings) is None for e in found.entries] == [False, True]


def test_what_cannot_be_unpacked(tmp_path: Path, workspace: Path) -> None:
    make_tar(tmp_path / "a.tar", {"../x.py": b"1"})
    with pytest.raises(UsageError, match=r"a\.tar cannot be unpacked; found a\.tar holds a file"):
        read_class(tmp_path / "a.tar", workspace)
    with pytest.raises(UsageError, match=r"a\.tar is a file; expected a folder"):
        read_class(tmp_path / "a.tar")
