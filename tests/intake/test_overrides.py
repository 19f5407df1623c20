from __future__ import annotations

from pathlib import Path

import pytest
from hand_ins import make_zip, open_class

from grader.errors import UsageError
from grader.intake import read_class, refuse_overrides

POINTS = {"t3.even": 1.0, "t3.detect": 1.0}
TASKS = ("t1", "t3")
ROLES = ("width", "depth", "gpus", "devices")


@pytest.fixture(autouse=True)
def hand_ins(class_folder: Path) -> None:
    for name in ("hw3.py", "other.py", "answers.docx", "r.pdf"):
        (class_folder / "s1").mkdir(exist_ok=True)
        (class_folder / "s1" / name).write_text("x")
    make_zip(
        class_folder / "s2.zip",
        {"HW/a.py": "1", "HW/final/hw3.py": "1", "HW/docs/big.pdf": "111", "HW/docs/x.pdf": "1"},
    )
    (class_folder / "s3.zip").write_bytes(b"PK")


def refusal(class_folder: Path, workspace: Path, text: str) -> list[str]:
    (class_folder / "class.toml").write_text(text)
    with pytest.raises(UsageError) as caught:
        refuse_overrides(read_class(class_folder), POINTS, TASKS, ROLES, workspace)
    assert list(workspace.iterdir()) == []
    return str(caught.value).splitlines()


def test_every_mistake_at_once(class_folder: Path, workspace: Path) -> None:
    text = """[overrides.s1.points]
"t3.evn" = { earned = 1, reason = "x" }
"t3.detect" = { earned = 2, reason = "x" }
[overrides.s1.files]
raport = "r.pdf"
report = "answer.docx"
t1 = "r.pdf"
[overrides.s2.files]
model = "hw3.py"
report = "nothing like it"
[overrides.s3.files]
model = "unknown.py"
"""
    assert refusal(class_folder, workspace, text) == [
        "class.toml, line 2: overrides.s1.points.t3.evn: there is no criterion 't3.evn'; "
        "did you mean 't3.even'?",
        "class.toml, line 3: overrides.s1.points.t3.detect.earned: expected 1 at most, found 2",
        "class.toml, line 5: overrides.s1.files.raport: expected one of model, report, t1, t3",
        "class.toml, line 6: overrides.s1.files.report: there is no file 'answer.docx' in the "
        "hand-in; did you mean 'answers.docx'?",
        "class.toml, line 9: overrides.s2.files.model: there is no file 'hw3.py' in the hand-in; "
        "did you mean 'final/hw3.py'?",
        "class.toml, line 10: overrides.s2.files.report: there is no file 'nothing like it' in "
        "the hand-in; there is a.py, docs/big.pdf, docs/x.pdf, final/hw3.py",
    ]


def test_without_class_toml(class_folder: Path, workspace: Path) -> None:
    refuse_overrides(read_class(class_folder), POINTS, TASKS, ROLES, workspace)


def test_files_that_were_named_come_first(class_folder: Path, workspace: Path) -> None:
    (class_folder / "class.toml").write_text(
        """[overrides.s1.files]
report = "answers.docx"
t1 = "r.pdf"
[overrides.s2.files]
model = "HW/final/hw3.py"
report = 'docs\\x.pdf'
[overrides.s3]
name = "Cat"
"""
    )
    found = read_class(class_folder)
    refuse_overrides(found, POINTS, TASKS, ROLES, workspace)
    s1, s2, _ = open_class(class_folder, workspace).submissions
    assert s1.reports == (Path("answers.docx"), Path("r.pdf"))
    assert s1.files == {"report": Path("answers.docx"), "t1": Path("r.pdf")}
    assert s2.code == (Path("final/hw3.py"), Path("a.py"))
    assert s2.reports == (Path("docs/x.pdf"), Path("docs/big.pdf"))
    assert s1.notes[:2] == (
        "the report: read in answers.docx, as the instructor says in class.toml",
        "answers of T1: read in r.pdf, as the instructor says in class.toml",
    )


def test_a_file_that_is_gone_since(class_folder: Path, workspace: Path) -> None:
    (class_folder / "class.toml").write_text('overrides.s1.files.model = "gone.py"')
    s1 = open_class(class_folder, workspace).submissions[0]
    assert s1.notes[0] == "class.toml names 'gone.py', which is not there"
    assert s1.files == {}


# ---------------------------------------------------------------------- classes and arguments

NETS = "class Base:\n    pass\nclass MyNet(Base):\n    pass\n"


def test_a_class_may_follow_the_name_of_a_file(class_folder: Path, workspace: Path) -> None:
    (class_folder / "s1" / "hw3.py").write_text(NETS)
    (class_folder / "s1" / "odd:name.py").write_text(NETS)
    text = """[overrides.s1]
files = { model = "hw3.py:MyNet", t3 = "odd:name.py", t1 = "odd:name.py:Base" }
arguments = { hidden = 64, n = "$depth" }
"""
    (class_folder / "class.toml").write_text(text)
    found = read_class(class_folder)
    refuse_overrides(found, POINTS, TASKS, ROLES, workspace)
    s1 = open_class(class_folder, workspace).submissions[0]
    odd = Path("odd:name.py")
    assert s1.files == {"model": Path("hw3.py"), "t3": odd, "t1": odd}
    assert s1.classes == {"model": "MyNet", "t1": "Base"}
    assert s1.arguments == {"hidden": 64, "n": "$depth"}


def test_mistakes_in_classes_and_arguments(class_folder: Path, workspace: Path) -> None:
    (class_folder / "s1" / "hw3.py").write_text(NETS)
    text = """[overrides.s1]
reason = " "
arguments = 5
"""
    (class_folder / "class.toml").write_text(text)
    with pytest.raises(UsageError) as caught:
        read_class(class_folder)
    assert str(caught.value).splitlines() == [
        "class.toml, line 2: overrides.s1.reason: is empty; say it in a few words",
        "class.toml, line 3: overrides.s1.arguments: expected a table, found 5",
    ]
    text = """[overrides.s1.files]
model = "hw3.py:MyNett"
report = "r.pdf:MyNet"
t3 = "hw3.py:Absent"
t1 = "gone.py:MyNet"
[overrides.s2]
files = { model = "docs/x.pdf" }
[overrides.s3.arguments]
n-layers = 1
class = 1
depth = "$dept"
split = [1, "$nothing"]
cfg = { day = 2026-04-30, ratio = nan }
fine = { a = [1, 2.5, true, "text", "$gpus"] }
"""
    assert refusal(class_folder, workspace, text) == [
        "class.toml, line 2: overrides.s1.files.model: there is no class 'MyNett' in hw3.py; "
        "did you mean 'MyNet'?",
        "class.toml, line 3: overrides.s1.files.report: a report has no class 'MyNet'",
        "class.toml, line 4: overrides.s1.files.t3: there is no class 'Absent' in hw3.py; "
        "there is Base, MyNet",
        "class.toml, line 5: overrides.s1.files.t1: there is no file 'gone.py' in the hand-in; "
        "did you mean 'other.py'?",
        "class.toml, line 7: overrides.s2.files.model: expected a script or a notebook, "
        "found 'x.pdf'",
        "class.toml, line 9: overrides.s3.arguments.n-layers: expected the name of a parameter "
        "of the constructor",
        "class.toml, line 10: overrides.s3.arguments.class: expected the name of a parameter of "
        "the constructor",
        "class.toml, line 11: overrides.s3.arguments.depth: '$dept' is nothing that a check asks "
        "for; did you mean '$depth'?",
        "class.toml, line 12: overrides.s3.arguments.split: '$nothing' is nothing that a check "
        "asks for; there is $width, $depth, $gpus, $devices",
        "class.toml, line 13: overrides.s3.arguments.cfg: expected a number, text, true, false, "
        "a list or a table, found 2026-04-30",
        "class.toml, line 13: overrides.s3.arguments.cfg: expected a number, text, true, false, "
        "a list or a table, found nan",
    ]


def test_arguments_are_bounded(class_folder: Path, workspace: Path) -> None:
    text = f'overrides.s1.arguments.name = "{"x" * 5000}"'
    assert refusal(class_folder, workspace, text) == [
        "class.toml, line 1: overrides.s1.arguments: expected at most 4000 characters"
    ]
