from __future__ import annotations

import os
from pathlib import Path

import pytest
from hand_ins import Opened, make_pdf, make_zip, open_class, without_root

from grader.errors import UsageError
from grader.intake import handed_in, read_class
from grader.records import Student, Submission


def hand_in(folder: Path, name: str, files: dict[str, str]) -> Path:
    for file, content in files.items():
        path = folder / name / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, "utf-8")
    return folder / name


def only(found: Opened) -> Submission:
    [submission] = found.submissions
    return submission


def test_folders_zips_and_single_scripts(class_folder: Path, workspace: Path) -> None:
    hand_in(class_folder, "mari", {"hw3.py": "1", "src/model.py": "2", "notes.txt": "3"})
    make_zip(class_folder / "jaan.ZIP", {"hw/hw3.py": "1", "hw/data/x.csv": "2"})
    (class_folder / "ann.py").write_text("1")
    before = sorted(class_folder.rglob("*"))
    found = open_class(class_folder, workspace)
    assert [s.id for s in found.submissions] == ["ann", "jaan", "mari"]
    ann, jaan, mari = found.submissions
    assert mari.folder == class_folder / "mari"
    assert mari.code == (Path("hw3.py"), Path("src/model.py"))
    assert jaan.folder.name == "hw"
    assert jaan.folder.is_relative_to(workspace)
    assert (jaan.folder / "data/x.csv").read_text() == "2"
    assert jaan.code == (Path("hw3.py"),)
    assert (ann.folder / ann.code[0]).read_text() == "1"
    assert [file.name for file in ann.folder.iterdir()] == ["ann.py"]
    assert all(s.problem is None and s.notes == () for s in found.submissions)
    assert sorted(class_folder.rglob("*")) == before


def test_all_that_was_passed_over_is_listed(class_folder: Path, workspace: Path) -> None:
    hand_in(class_folder, "mari", {"hw3.py": "1", "__pycache__/a.pyc": "2", ".git/HEAD": "3"})
    hand_in(class_folder, "mari", {"env/pyvenv.cfg": "", "env/lib/torch.py": "", "~$r.docx": ""})
    hand_in(class_folder, "__MACOSX", {"x": ""})
    hand_in(class_folder, "results", {"gradebook.csv": "", "review.csv": "", "mari/score.json": ""})
    make_zip(class_folder / "jaan.zip", {"hw3.py": "1", "Thumbs.db": "2"})
    (class_folder / ".DS_Store").write_text("")
    (class_folder / "notes.txt").write_text("")
    found = open_class(class_folder, workspace)
    assert found.ignored == (
        ".DS_Store: data of macOS",
        "__MACOSX: data of macOS",
        "notes.txt: neither a folder, nor an archive, nor a script",
        "results: results of an earlier run",
        "jaan.zip/Thumbs.db: data of Windows",
        "mari/.git: version history",
        "mari/__pycache__: compiled Python",
        "mari/env: a virtual environment",
        "mari/~$r.docx: a lock file of an office program",
    )
    assert [s.code for s in found.submissions] == [(Path("hw3.py"),)] * 2


def test_a_broken_hand_in_does_not_stop_the_class(class_folder: Path, workspace: Path) -> None:
    hand_in(class_folder, "ann", {"hw3.py": "1"})
    (class_folder / "work.zip").write_text("no zip")
    make_zip(class_folder / "evil.zip", {"../../out.py": "1"})
    ann, evil, work = open_class(class_folder, workspace).submissions
    assert ann.problem is None
    assert work.problem == "work.zip is not a zip file; hand in the folder or a new zip"
    assert evil.problem is not None
    assert "outside" in evil.problem
    assert work.code == evil.code == work.reports == ()
    assert list(work.folder.iterdir()) == []


def test_no_python_is_a_note(class_folder: Path, workspace: Path) -> None:
    hand_in(class_folder, "ann", {"hw3.m": "{}", "report.docx": ""})
    submission = only(open_class(class_folder, workspace))
    assert submission.problem is None
    assert submission.code == ()
    assert submission.notes == (
        "no script and no notebook was found, only hw3.m, report.docx",
        "the report was handed in as .docx; PDF was asked for",
    )


def test_an_empty_hand_in(class_folder: Path, workspace: Path) -> None:
    (class_folder / "ann").mkdir()
    make_zip(class_folder / "bob.zip", {})
    for submission in open_class(class_folder, workspace).submissions:
        assert submission.notes == ("the hand-in is empty",)
        assert submission.problem is None


def test_the_best_report_comes_first(class_folder: Path, workspace: Path) -> None:
    folder = hand_in(class_folder, "ann", {"hw3.py": "1"})
    make_pdf(folder / "homework page.pdf", [["long"] * 40] * 9)
    make_pdf(folder / "small.pdf", [["x"]])
    make_pdf(folder / "hw3-ann.pdf", [["x"]])
    make_pdf(folder / "Aruanne.PDF", [["x"]])
    submission = only(open_class(class_folder, workspace, assignment="hw3"))
    names = [file.name for file in submission.reports]
    assert names == ["Aruanne.PDF", "hw3-ann.pdf", "homework page.pdf", "small.pdf"]
    assert submission.notes == ("4 PDF files; Aruanne.PDF was taken for the report",)


def test_two_with_one_id_are_named(class_folder: Path, workspace: Path) -> None:
    (class_folder / "ann.py").write_text("1")
    make_zip(class_folder / "ann.zip", {"hw3.py": "1"})
    with pytest.raises(UsageError, match=r"'ann' is there more than once: ann\.py and ann\.zip;"):
        open_class(class_folder, workspace)


def test_a_class_folder_that_does_not_fit(tmp_path: Path) -> None:
    file = tmp_path / "class.zip"
    file.write_text("")
    empty = tmp_path / "empty"
    empty.mkdir()
    stray = tmp_path / "stray"
    stray.mkdir()
    (stray / "notes.txt").write_text("")
    for folder, line in [
        (tmp_path / "none", "does not exist; name the folder of hand-ins"),
        (file, "is a file; expected a folder with one folder or zip per student"),
        (empty, "is empty; expected one folder or zip per student; put the hand-ins into it"),
        (stray, "holds no hand-in; expected one folder or zip per student; found notes.txt"),
    ]:
        with pytest.raises(UsageError) as caught:
            read_class(folder)
        assert str(caught.value).startswith(f"{folder} {line}")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b'Mari\'s "final"  work (2)', 'Mari\'s "final"  work (2)'),
        (b"two\nlines\t", "two%0Alines%09"),
        (b"J\xe4rv", "J%E4rv"),
        ("Õnne Žukova".encode(), "Õnne Žukova"),
        ("O\u0303nne".encode(), "Õnne"),
        (b"-rf *; $(x)", "-rf *; $(x)"),
        (b"\xff" * 250, None),
    ],
)
def test_names_of_any_kind(
    class_folder: Path, workspace: Path, name: bytes, shown: str | None
) -> None:
    child = Path(os.fsdecode(os.fsencode(class_folder) + b"/" + name))
    child.mkdir()
    (child / "hw3.py").write_text("1")
    submission = only(open_class(class_folder, workspace))
    assert shown is None or submission.id == shown
    assert len(submission.id.encode()) <= 255
    assert submission.code == (Path("hw3.py"),)
    make_zip(workspace / "x.zip", {"hw3.py": "1"}).rename(f"{child}.zip"[:-4] + "2.zip")
    assert len(open_class(class_folder, workspace).submissions) == 2


def test_file_names_that_cannot_be_shown_are_spelled_out(
    class_folder: Path, workspace: Path
) -> None:
    folder = hand_in(class_folder, "ann", {"hw3.py": "1", "__pycache__/x.pyc": ""})
    Path(os.fsdecode(os.fsencode(folder) + b"/m\xf5del.py")).write_text("2")
    found = open_class(class_folder, workspace)
    submission = only(found)
    assert submission.code == (Path("hw3.py"), Path("m%F5del.py"))
    assert (submission.folder / "m%F5del.py").read_text() == "2"
    assert found.ignored == ("ann/__pycache__: compiled Python",)


def test_links_are_not_followed_outside(class_folder: Path, workspace: Path) -> None:
    secret = class_folder.parent / "secret"
    secret.mkdir()
    (secret / "key.py").write_text("1")
    folder = hand_in(class_folder, "ann", {"hw3.py": "1"})
    (folder / "key.py").symlink_to(secret / "key.py")
    (folder / "all").symlink_to(secret)
    (folder / "gone.py").symlink_to(folder / "nowhere")
    (folder / "loop.py").symlink_to(folder / "loop.py")
    (folder / "same.py").symlink_to(folder / "hw3.py")
    os.mkfifo(folder / "pipe.py")
    submission = only(open_class(class_folder, workspace))
    assert submission.code == (Path("hw3.py"), Path("same.py"))
    assert submission.notes == (
        "all is a link that leads outside; not followed",
        "gone.py is a link that leads outside or nowhere; not followed",
        "key.py is a link that leads outside or nowhere; not followed",
        "loop.py is a link that leads outside or nowhere; not followed",
        "pipe.py is no regular file; not read",
    )


def test_a_hand_in_that_is_a_link(class_folder: Path, workspace: Path) -> None:
    (class_folder / "ann").symlink_to(class_folder.parent)
    submission = only(open_class(class_folder, workspace))
    assert submission.problem == "it is a link to another place; put the files themselves here"


def test_what_nobody_may_read(open_folder: Path) -> None:
    workspace = open_folder / "work"
    workspace.mkdir()
    workspace.chmod(0o777)
    here = open_folder / "class"
    hand_in(here, "ann", {"hw3.py": "1"}).chmod(0)
    hand_in(here, "bob", {"hw3.py": "1", "other.py": "2", "in/x.py": "3"})
    (here / "bob/other.py").chmod(0)
    (here / "bob/in").chmod(0)
    (here / "cat.py").write_text("1")
    (here / "cat.py").chmod(0)
    hand_in(here, "dan", {"hw3.py": "1"}).chmod(0o444)
    with without_root():
        ann, bob, cat, dan = open_class(here, workspace).submissions
    assert ann.problem is not None
    assert ann.problem.startswith("the folder cannot be read (Permission denied);")
    assert bob.code == (Path("hw3.py"),)
    assert bob.notes == (
        "other.py cannot be read (Permission denied)",
        "in cannot be read (Permission denied)",
    )
    assert cat.problem == "cat.py cannot be read; make it readable"
    assert dan.code == ()
    assert dan.notes[0] == "hw3.py cannot be read (Permission denied)"


def test_a_hand_in_larger_than_a_homework(class_folder: Path, workspace: Path) -> None:
    big = hand_in(class_folder, "ann", {"hw3.py": "1"}) / "weights.pt"
    with big.open("wb") as file:
        file.truncate(300 * 2**20)  # sparse: takes no room
    submission = only(open_class(class_folder, workspace))
    assert submission.problem is not None
    assert submission.problem.startswith("it is larger than 200 MB;")


def test_settings_and_roster(class_folder: Path) -> None:
    for name in ("s1", "s2", "s3"):
        hand_in(class_folder, name, {"hw3.py": "1"})
    (class_folder / "class.toml").write_text(
        'roster = "roster.csv"\noverrides.s2.name = "Other"\n', "utf-8"
    )
    (class_folder / "roster.csv").write_text("id,name\ns1,Õnne Žukova\ns2,Two\ns9,Nine\n", "utf-8")
    found = read_class(class_folder)
    assert [entry.student.name for entry in found.entries] == ["Õnne Žukova", "Other", None]
    assert found.entries[2].notes == ("not in roster.csv",)
    assert found.missing == (Student("s9", "Nine"),)
    assert found.ignored == ()


@pytest.mark.parametrize(
    ("name", "id_"),
    [("gradebook.csv", "gradebook.csv_"), ("review.csv", "review.csv_"), (" ", " _")],
)
def test_results_have_a_name_of_their_own(
    class_folder: Path, workspace: Path, name: str, id_: str
) -> None:
    hand_in(class_folder, name, {"hw3.py": "1"})
    assert only(open_class(class_folder, workspace)).id == id_


def test_what_is_no_file_is_not_opened(class_folder: Path, workspace: Path) -> None:
    """A pipe has no end, and whoever opens it waits."""
    os.mkfifo(class_folder / "ann.py")
    os.mkfifo(class_folder / "ben.zip")
    hand_in(class_folder, "eve", {"hw3.py": "1"})
    found = open_class(class_folder, workspace)
    assert only(found).id == "eve"
    assert found.ignored == ("ann.py: no regular file", "ben.zip: no regular file")


@pytest.mark.parametrize("target", ["x" * 300, "ann", "/", "/proc/self/fd/0", "nowhere"])
def test_links_to_anywhere(class_folder: Path, workspace: Path, target: str) -> None:
    for name in ("ann", "ben.zip", "eve.py", "Õnne Ž_12_assignsubmission_file_"):
        (class_folder / name).symlink_to(target)
    hand_in(class_folder, "zoe", {"hw3.py": "1"})
    found = open_class(class_folder, workspace)
    *links, honest = found.submissions
    assert honest.id == "zoe"
    assert honest.problem is None
    for entry in read_class(class_folder).entries:
        handed_in(entry)
    assert all("it is a link to another place" in (s.problem or "") for s in links)
