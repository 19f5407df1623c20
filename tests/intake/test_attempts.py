from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest
from hand_ins import make_zip, open_class
from hypothesis import given
from hypothesis import strategies as st

from grader.intake import read_class
from grader.intake.attempts import Named, group, read_name


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("s01", Named("s01")),
        ("s01 (2)", Named("s01", 2)),
        ("s01(3)", Named("s01", 3)),
        ("s01_v2", Named("s01", 2)),
        ("s01-V12", Named("s01", 12)),
        ("Mari Maasikas attempt 2", Named("Mari Maasikas", 2)),
        ("s01_Attempt-3", Named("s01", 3)),
        ("s01-2", Named("s01", 2, sure=False)),
        ("s01-final", Named("s01-final")),
        ("s01v2", Named("s01v2")),
        ("2026-04", Named("2026-04")),
        ("s-10", Named("s-10")),
        ("(2)", Named("(2)")),
        ("Ulo (Val) Vali", Named("Ulo (Val) Vali")),
    ],
)
def test_names(name: str, read: Named) -> None:
    assert read_name(name) == read


@pytest.mark.parametrize(
    ("ids", "known", "students"),
    [
        ("s01 s01_v2", "", "s01 s01"),
        ("s01_v1 s01_v2", "", "s01 s01"),
        ("s01_v2 s02", "", "s01_v2 s02"),
        ("s01_v2 s02", "s01", "s01 s02"),
        ("s01 s01_v2", "s01_v2", "s01 s01_v2"),
        ("s1 s1-2", "", "s1 s1"),
        ("s1 s1-2", "s1", "s1 s1"),
        ("s1 s1-2", "s1 s1-2", "s1 s1-2"),
        ("s1 s1-2 s3-1", "", "s1 s1-2 s3-1"),
        ("g-1 g-2", "", "g-1 g-2"),
    ],
)
def test_who_is_whose_attempt(ids: str, known: str, students: str) -> None:
    assert list(group(ids.split(), known.split()).values()) == students.split()


@given(st.lists(st.from_regex(r"\As[12]((_v| v|-)[0-9])?\Z"), unique=True))
def test_everyone_stays_somewhere(ids: list[str]) -> None:
    students = group(ids, ())
    assert list(students) == ids
    assert all(id_.startswith(student) for id_, student in students.items())


def put(path: Path, content: str, when: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    os.utime(path, (when, when))
    return path


def test_the_latest_attempt_counts(class_folder: Path, workspace: Path) -> None:
    put(class_folder / "s01/hw3.py", "old", 2_000_000_000)
    make_zip(class_folder / "s01_v2.zip", {"hw3.py": "new"})
    put(class_folder / "s02.py", "old", 1)
    put(class_folder / "s02 (2).py", "new", 1)
    put(class_folder / "s02 (2).pdf", "new", 1)
    opened = open_class(class_folder, workspace)
    for submission in opened.submissions:
        assert (submission.folder / submission.code[0]).read_text() == "new"
    first, second = opened.submissions
    assert first.id == "s01"
    assert second.id == "s02"
    assert [file.name for file in second.reports] == ["s02 (2).pdf"]
    assert opened.ignored == (
        "s01/: an earlier attempt; s01_v2.zip counts",
        "s02.py: an earlier attempt; s02 (2).py and s02 (2).pdf counts",
    )
    assert read_class(class_folder).entries[0].notes == (
        "s01_v2.zip is the latest of 2 attempts; not looked at: s01/",
    )


@pytest.mark.parametrize(
    ("folder_time", "counts"), [(-9000, "s01.zip"), (0, "s01"), (1, "s01"), (9000, "s01")]
)
def test_a_folder_and_its_own_zip(class_folder: Path, folder_time: int, counts: str) -> None:
    """The newer one; times in the zip count, not that of its download."""
    when = 1_700_000_000
    written = put(class_folder / "packed/hw3.py", "1", when)
    with zipfile.ZipFile(class_folder / "s01.zip", "w") as archive:
        archive.write(written, "hw3.py")
    written.unlink()
    written.parent.rmdir()
    put(class_folder / "s01/hw3.py", "1", when + folder_time)
    [entry] = read_class(class_folder).entries
    assert entry.source.name == counts
    assert entry.id == "s01"


def test_a_script_and_its_report_are_one_hand_in(class_folder: Path, workspace: Path) -> None:
    for name in ("ann.py", "ann.pdf", "ann.txt", "ben.ipynb", "cat.pdf"):
        put(class_folder / name, "x", 1)
    opened = open_class(class_folder, workspace)
    ann, ben = opened.submissions
    assert sorted(file.name for file in ann.folder.iterdir()) == ["ann.pdf", "ann.py", "ann.txt"]
    assert ann.reports == (Path("ann.pdf"),)
    assert [file.name for file in ben.folder.iterdir()] == ["ben.ipynb"]
    assert opened.ignored == ("cat.pdf: neither a folder, nor an archive, nor a script",)


def test_attempts_in_a_folder(class_folder: Path, workspace: Path) -> None:
    for attempt in (1, 2, 10):
        put(class_folder / f"ann/Attempt {attempt}/hw3.py", str(attempt), 1)
    put(class_folder / "ann/.DS_Store", "x", 1)
    opened = open_class(class_folder, workspace)
    [ann] = opened.submissions
    assert (ann.folder / "hw3.py").read_text() == "10"
    assert opened.ignored == (
        "ann/Attempt 1: an earlier attempt; Attempt 10 counts",
        "ann/Attempt 2: an earlier attempt; Attempt 10 counts",
    )


# ---------------------------------------------------------------------- clones


def clone(folder: Path, name: str) -> None:
    put(folder / name / ".git/HEAD", "x", 1)
    put(folder / name / "hw3.py", "x", 1)


def ids(folder: Path) -> list[str]:
    return [entry.id for entry in read_class(folder).entries]


def test_clones_of_one_assignment_are_called_by_login(class_folder: Path) -> None:
    for login in ("ann", "ben-2", "ben", "dr-who"):
        clone(class_folder, f"homework-3-{login}")
    assert ids(class_folder) == ["ann", "ben", "ben-2", "dr-who"]
    (class_folder / "class.toml").write_text("overrides.homework-3-ann.name = 'Ann'")
    assert ids(class_folder)[0] == "homework-3-ann"


@pytest.mark.parametrize(
    "names",
    [
        ["homework3-ann"],
        ["ann-hw", "ben-hw"],
        ["hw-ann", "ben"],
        ["hw-", "hw-ann"],
        ["hw-..", "hw-ann"],
    ],
)
def test_other_clones_keep_their_names(class_folder: Path, names: list[str]) -> None:
    for name in names:
        clone(class_folder, name)
    assert ids(class_folder) == sorted(names)


def test_folders_that_are_no_clones_keep_their_names(class_folder: Path) -> None:
    clone(class_folder, "anna-kask")
    put(class_folder / "anna-tamm/hw3.py", "x", 1)
    assert ids(class_folder) == ["anna-kask", "anna-tamm"]
