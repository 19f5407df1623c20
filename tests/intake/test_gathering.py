from __future__ import annotations

import io
import os
import subprocess
import zipfile
from pathlib import Path

import pytest
from hand_ins import make_tar, make_zip, open_class, written

from grader.intake.gathering import MAX_DEPTH
from grader.intake.hand_in import MAX_BYTES, MAX_FILES
from grader.records import Submission


def opened(class_folder: Path, workspace: Path) -> Submission:
    [submission] = open_class(class_folder, workspace).submissions
    return submission


def zipped(files: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return content.getvalue()


@pytest.mark.parametrize("outer", ["ann.zip", "ann.tar.xz", "ann/"])
def test_archives_inside_are_opened_where_they_lie(
    class_folder: Path, workspace: Path, outer: str
) -> None:
    code = zipped({"hw3.py": b"1", ".DS_Store": b"x"})
    files = {"a/code.zip": code, "report.pdf": b"%PDF", "a/code/notes.txt": b"n"}
    if outer == "ann/":
        for name, content in files.items():
            (class_folder / "ann" / name).parent.mkdir(parents=True, exist_ok=True)
            (class_folder / "ann" / name).write_bytes(content)
    elif outer == "ann.zip":
        make_zip(class_folder / outer, dict(files))
    else:
        make_tar(class_folder / outer, files)
    found = open_class(class_folder, workspace)
    [submission] = found.submissions
    assert submission.code == (Path("a/code (2)/hw3.py"),)
    assert submission.notes == ()
    assert found.ignored == (f"{outer.rstrip('/')}/a/code.zip/.DS_Store: data of macOS",)


def test_folders_and_archives_around_a_homework_are_seen_through(
    class_folder: Path, workspace: Path
) -> None:
    inner = zipped({"HW/final/hw3.py": b"1", "HW/final/data/x.csv": b"2", "__MACOSX/x": b""})
    (class_folder / "ann/sent").mkdir(parents=True)
    (class_folder / "ann/sent/work.zip").write_bytes(zipped({"hw3/inner.zip": inner}))
    submission = opened(class_folder, workspace)
    assert sorted(written(submission.folder)) == ["data/x.csv", "hw3.py"]


def test_a_damaged_archive_inside_is_a_note(class_folder: Path, workspace: Path) -> None:
    (class_folder / "ann").mkdir()
    (class_folder / "ann/hw3.py").write_text("1")
    (class_folder / "ann/more.zip").write_bytes(zipped({"b.py": b"x" * 99})[:-20])
    (class_folder / "ann/old.rar").write_bytes(b"Rar!\x1a\7\0")
    submission = opened(class_folder, workspace)
    assert submission.problem is None
    assert submission.code == (Path("hw3.py"),)
    assert submission.notes == (
        "not opened: more.zip is a damaged zip file (its end is missing); "
        "hand in the folder or a new zip",
        "not opened: old.rar is a RAR archive, not a zip file; hand in the folder or a new zip",
    )


@pytest.mark.parametrize("name", ["ann.rar", "ann/work.7z", "ann_1_2_hw.7z"])
def test_nothing_but_an_archive_that_cannot_be_opened(
    class_folder: Path, workspace: Path, name: str
) -> None:
    path = class_folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"7z\xbc\xaf\x27\x1c")
    problem = opened(class_folder, workspace).problem
    assert problem is not None
    assert "is a 7z archive, not a zip file; hand in the folder or a new zip" in problem


def test_depth(class_folder: Path, workspace: Path) -> None:
    content, name = b"1", "hw3.py"
    for level in range(MAX_DEPTH + 2, 0, -1):
        content, name = zipped({name: content, f"{level}.py": b"1"}), f"{level}.zip"
    (class_folder / "ann.zip").write_bytes(content)
    submission = opened(class_folder, workspace)
    assert submission.code == (
        Path("1.py"), Path("2/2.py"), Path("2/3/3.py"),
    )  # fmt: skip
    assert submission.notes == (
        "not opened: 2/3/4.zip is too deep: an archive in 3 others; "
        "hand in the folder or a new zip",
    )


def test_bombs_inside_share_one_limit(class_folder: Path, workspace: Path) -> None:
    """Each would be small enough by itself."""
    each = zipped({"0.bin": bytes(8 * 2**20)})
    files: dict[str, str | bytes] = {f"{i}.zip": each for i in range(40)}
    make_zip(class_folder / "ann.zip", files | {"hw3.py": "1"})
    submission = opened(class_folder, workspace)
    assert submission.code == (Path("hw3.py"),)
    assert "unpacks to far more than a homework" in submission.notes[0]
    out = sum(map(len, written(workspace).values()))
    assert out <= MAX_BYTES


def test_files_inside_share_one_limit(class_folder: Path, workspace: Path) -> None:
    some = zipped({f"{i}.txt": b"" for i in range(MAX_FILES // 2)})
    files: dict[str, str | bytes] = {f"{i}.zip": some for i in range(3)}
    make_zip(class_folder / "ann.zip", files | {"hw3.py": "1"})
    submission = opened(class_folder, workspace)
    assert submission.notes == (
        "not opened: 1.zip holds more than 2000 files; hand in the scripts and the report only",
        "not opened: 2.zip holds more than 2000 files; hand in the scripts and the report only",
    )


@pytest.mark.parametrize("name", ["../evil.py", "/evil.py"])
def test_nothing_inside_gets_out(class_folder: Path, workspace: Path, name: str) -> None:
    make_zip(class_folder / "ann.zip", {"in.zip": zipped({name: b"1"}), "hw3.py": "1"})
    submission = opened(class_folder, workspace)
    assert "wants to go outside its folder" in submission.notes[0]
    assert not list(class_folder.parent.rglob("evil.py"))


def test_parts_with_one_name_are_both_kept(class_folder: Path, workspace: Path) -> None:
    for kind, text in (("file", "1"), ("onlinetext", "2")):
        folder = class_folder / f"Ann_7_assignsubmission_{kind}_"
        folder.mkdir()
        (folder / "onlinetext.html").write_text(text)
    submission = opened(class_folder, workspace)
    assert written(submission.folder) == {"onlinetext.html": b"1", "onlinetext (2).html": b"2"}


def test_large_models_are_named(class_folder: Path, workspace: Path) -> None:
    (class_folder / "ann").mkdir()
    (class_folder / "ann/hw3.py").write_text("1")
    for name, size in (("best.pth", 30), ("tiny.pt", 1)):
        with (class_folder / "ann" / name).open("wb") as file:
            file.truncate(size * 2**20)
    assert opened(class_folder, workspace).notes == (
        "best.pth is a trained model of 30 MB; nobody needs it",
    )


@pytest.mark.parametrize("name", ["ann.zip", "ann.tar.gz"])
def test_an_archive_of_a_few_files_may_hold_much(
    class_folder: Path, workspace: Path, name: str
) -> None:
    """The limit on the ratio is that of the archive, whatever stands around it."""
    files = {"hw3.py": b"1", "data.bin": os.urandom(12 << 20)}
    if name.endswith(".zip"):
        make_zip(class_folder / name, dict(files))
    else:
        make_tar(class_folder / name, files)
    submission = opened(class_folder, workspace)
    assert submission.problem is None
    assert written(submission.folder) == files


def test_a_folder_of_a_thousand_folders(class_folder: Path, workspace: Path) -> None:
    place = class_folder / "ann"
    place.joinpath(*["a"] * 45).mkdir(parents=True)
    (place / "hw3.py").write_text("1")
    assert opened(class_folder, workspace).problem is None
    here = os.open(place.joinpath(*["a"] * 45), os.O_RDONLY)
    for _ in range(1200):  # deeper than Python's own recursion
        os.mkdir("a", dir_fd=here)
        inner = os.open("a", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    try:
        problem = opened(class_folder, workspace).problem
    finally:
        subprocess.run(["rm", "-rf", place], check=True)  # shutil's recursion ends before
    assert problem is not None
    assert problem.startswith("it holds more than 50 folders in one another")


def test_what_is_passed_over_is_told_in_short(class_folder: Path, workspace: Path) -> None:
    files: dict[str, str | bytes] = {f".{n}": "" for n in range(3000)}
    make_zip(class_folder / "ann.zip", files | {"hw3.py": "1"})
    (class_folder / "ben").mkdir()
    (class_folder / "ben/hw3.py").write_text("1")
    for n in range(100):
        (class_folder / f"ben/{n}.py").symlink_to("nowhere")
    found = open_class(class_folder, workspace)
    assert len(found.ignored) == 51
    assert found.ignored[-1] == "and 2950 more of this kind"
    assert len(found.submissions[1].notes) == 51


def test_files_that_are_shown_by_one_name_are_both_kept(
    class_folder: Path, workspace: Path
) -> None:
    (class_folder / "ann").mkdir()
    for name, content in ((b"m\xe9.py", "1"), (b"m%E9.py", "2")):
        Path(os.fsdecode(bytes(class_folder / "ann") + b"/" + name)).write_text(content)
    submission = opened(class_folder, workspace)
    assert sorted(written(submission.folder).values()) == [b"1", b"2"]


def test_a_file_and_a_folder_that_are_shown_by_one_name(
    class_folder: Path, workspace: Path
) -> None:
    (class_folder / "ann").mkdir()
    place = bytes(class_folder / "ann")
    Path(os.fsdecode(place + b"/m%E9")).write_text("1")
    Path(os.fsdecode(place + b"/m\xe9")).mkdir()
    Path(os.fsdecode(place + b"/m\xe9/hw3.py")).write_text("1")
    problem = opened(class_folder, workspace).problem
    assert problem == "it holds a file and a folder of one name; hand in the folder or a new zip"
