from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from downloads import Made, canvas, moodle
from hand_ins import make_zip, open_class

from grader.errors import UsageError
from grader.intake import lateness, read_class
from grader.intake.downloads import recognise

DOWNLOADS = {
    "moodle": moodle,
    "moodle, not as folders": partial(moodle, as_folders=False),
    "canvas": canvas,
}


@pytest.fixture(params=DOWNLOADS)
def made(request: pytest.FixtureRequest, class_folder: Path) -> Made:
    build: Callable[[Path], Made] = DOWNLOADS[request.param]
    return build(class_folder)


def test_thirty_students_of_a_download(made: Made, workspace: Path) -> None:
    found = read_class(made.folder)
    assert {entry.id: entry.student.name for entry in found.entries} == made.names
    for entry in found.entries:
        expected = made.noted.get(entry.id)
        assert entry.notes == ((expected,) if expected else ()), entry.id
    late = {entry.id for entry in found.entries if lateness(entry, found.settings)}
    assert late == made.late


def test_the_files_that_count(made: Made, workspace: Path) -> None:
    before = sorted(made.folder.rglob("*"))
    opened = open_class(made.folder, workspace)
    for submission in opened.submissions:
        assert submission.problem is None
        files = made.files[submission.id]
        for name, content in files.items():
            [file] = submission.folder.rglob(name)
            assert file.read_bytes() == content, submission.id
        assert [file.name for file in submission.code] == [n for n in files if n.endswith(".py")]
    assert set(opened.ignored) == made.ignored
    assert len(opened.ignored) == len(made.ignored)
    assert sorted(made.folder.rglob("*")) == before


def names_of(folder: Path, *names: str) -> list[tuple[str, str | None, list[str], bool]]:
    for name in names:
        path = folder / name
        path.mkdir() if name.endswith("/") else path.write_text("x")
    found = recognise(sorted(folder.iterdir()))
    return [(f.id, f.name, [part.name for part in f.parts], f.late) for f in found]


def test_names_with_traps(tmp_path: Path) -> None:
    name = "x_12_assignsubmission_file_y_34_assignsubmission_file_hw_1.py"
    assert names_of(tmp_path, name) == [("12", "x", ["y_34_assignsubmission_file_hw_1.py"], False)]


def test_a_group_without_members_and_anonymous_students(tmp_path: Path) -> None:
    names = ["Group A_7_assignsubmission_file_/", "Participant_8_assignsubmission_file_/"]
    found = names_of(tmp_path, *names, "Team X-Ann Lee_9_assignsubmission_file_/")
    assert [(id_, name) for id_, name, _, _ in found] == [
        ("7", "Group A"),
        ("8", None),
        ("9", "Ann Lee"),
    ]


def test_packed_again(tmp_path: Path) -> None:
    assert names_of(tmp_path, "Ann_7_assignsubmission_file_.zip") == [
        ("7", "Ann", ["file.zip"], False)
    ]


def test_what_only_looks_like_canvas(tmp_path: Path) -> None:
    assert names_of(tmp_path, "ann_2026_04_hw3.py", "ben_2026_04_hw3.py") == []


def test_canvas_numbers_files_of_later_attempts(tmp_path: Path) -> None:
    [ann, ben] = names_of(
        tmp_path,
        "ann_1_10_model-1.py",
        "ann_1_11_report-3.pdf",
        "ann_1_12_report-2.pdf",
        "ann_1_13_report.pdf",
        "ben_LATE_2_14_task-1.py",
        "ben_LATE_2_15_task-2.py",
    )
    assert ann == ("1", "ann", ["model.py", "report.pdf"], False)
    assert ben == ("2", "ben", ["task-1.py", "task-2.py"], True)


def test_one_number_for_two_students(tmp_path: Path) -> None:
    names = ["Ann_7_assignsubmission_file_/", "Ben_7_assignsubmission_file_/"]
    with pytest.raises(UsageError, match="the number 7 stands for more than one student: Ann_7"):
        names_of(tmp_path, *names)


def test_a_number_that_is_a_hand_in_too(class_folder: Path) -> None:
    (class_folder / "Ann_7_assignsubmission_file_").mkdir()
    (class_folder / "7").mkdir()
    with pytest.raises(UsageError, match="'7' is there more than once: 7/ and Ann_7_"):
        read_class(class_folder)


def test_canvas_says_late(class_folder: Path) -> None:
    """With or without a deadline; who has a longer one is in time."""
    path = class_folder / "ann_LATE_1_10_hw3.py"
    path.write_text("1")
    os.utime(path, (1_600_000_000, 1_600_000_000))
    for settings, said in [
        ("", "as the learning platform says"),
        ("deadline = 2026-04-30", "as the learning platform says"),
        ("deadline = 2020-09-13T12:00:00Z", "handed in 26 min 40 s late"),
        ("overrides.1.deadline = 2020-09-14", None),
    ]:
        (class_folder / "class.toml").write_text(settings)
        found = read_class(class_folder)
        late = lateness(found.entries[0], found.settings)
        assert (late is None) if said is None else (late is not None and said in late.said)


def test_a_mixed_class(class_folder: Path, workspace: Path) -> None:
    for name in ("Ann Lee_7_assignsubmission_file_", "s02"):
        (class_folder / name).mkdir()
        (class_folder / name / "hw3.py").write_text("1")
    make_zip(class_folder / "s01.zip", {"hw3.py": "1"})
    (class_folder / "ben_8_10_hw3.py").write_text("1")
    opened = open_class(class_folder, workspace)
    assert [s.id for s in opened.submissions] == ["7", "8", "s01", "s02"]
    assert [[str(file) for file in s.code] for s in opened.submissions] == [["hw3.py"]] * 4
