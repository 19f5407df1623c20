from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from grader.intake.hand_in import scan
from grader.intake.junk import environments, why_junk


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("__MACOSX", "data of macOS"),
        (".DS_Store", "data of macOS"),
        ("Thumbs.db", "data of Windows"),
        ("__pycache__", "compiled Python"),
        ("hw3.PYC", "compiled Python"),
        (".ipynb_checkpoints", "copies made by Jupyter"),
        (".git", "version history"),
        (".vscode", "settings of an editor"),
        (".idea", "settings of an editor"),
        (".hidden", "a hidden file"),
        ("~$report.docx", "a lock file of an office program"),
        (".~lock.report.odt#", "a lock file of an office program"),
        ("hw3.py~", "a backup copy of an editor"),
        ("hw3.py", None),
        ("best.pth", None),
        ("env", None),
        ("venv.py", None),
    ],
)
def test_names(name: str, why: str | None) -> None:
    assert why_junk(name) == why


ENVIRONMENTS = [
    "a/pyvenv.cfg",
    "b/lib/python3.11/site-packages/torch/__init__.py",
    "c/Lib/site-packages/torch/__init__.py",
    "d/lib64/python3/site-packages/x.py",
]
HONEST = ["lib/python3/site-packages/x.py", "site-packages/x.py", "e/env/hw3.py", "pyvenv.cfg"]


def test_environments_whatever_they_are_called(tmp_path: Path) -> None:
    """The same in an archive, by its names, and on the disk."""
    files = [PurePosixPath(name) for name in ENVIRONMENTS + HONEST]
    assert {str(path) for path in environments(files)} == {"a", "b", "c", "d"}
    for name in ENVIRONMENTS + HONEST:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    found = scan(tmp_path)
    assert [line for line in found.junk if "environment" in line] == [
        f"{name}: a virtual environment" for name in "abcd"
    ]
