"""Builds what Moodle and Canvas make of a class of thirty when an instructor downloads it.

Everybody is invented. Among them are late ones, several attempts, archives of every kind, junk
and files that belong to nobody; `Made` says what should come of it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hand_ins import make_tar, make_zip

NAMES = (
    "Õnne Žukova", "王小明", "Seán O'Sullivan", "Anna-Maria Kask", "Jüri Tamm", "Ольга Петрова",
    "José María García-López", "Nguyễn Thị Minh Khai", "山田 太郎", "Łukasz Żółć", "Mari-Liis Põld",
    "Zoë Brontë", "محمد علي", "Þórður Æsir", "Ada de la Cruz", "Bo Li", "D'Angelo Smith Jr.",
    "Ivo van der Berg", "Kadri Ööbik", "김민준", "Νίκος Παπαδόπουλος", "Siim 2 Saar",
    "Toomas Under_score", "Uku-Juhan v2 Uus", "Valdur (Val) Väli", "X Æ", "Ülle Übi", "Jaan Tamm",
    "Jaan Tamm", "Group A",
)  # fmt: skip

DEADLINE = 1_777_582_799  # 2026-04-30T23:59:59+03:00
ON_TIME, LATE = DEADLINE - 5 * 3600, DEADLINE + 26 * 3600
CLASS_TOML = "deadline = 2026-04-30T23:59:59+03:00\n"

Content = Callable[[int], Mapping[str, bytes]]


def small(number: int) -> dict[str, bytes]:
    """What the student of this number hands in, where nothing else is asked for."""
    return {"hw3.py": f"print({number})\n".encode(), "report.pdf": b"%PDF-1.4 nothing\n"}


@dataclass
class Made:
    """A download, and what should come of it, by id."""

    folder: Path
    names: dict[str, str | None] = field(default_factory=dict)
    files: dict[str, dict[str, bytes]] = field(default_factory=dict)  # that count
    late: set[str] = field(default_factory=set)
    noted: dict[str, str] = field(default_factory=dict)  # part of a note
    ignored: set[str] = field(default_factory=set)  # lines of the class and of its hand-ins

    def put(self, name: str, content: bytes, when: int = ON_TIME) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (when, when))
        return path

    def pack(self, name: str, files: Mapping[str, bytes], when: int = ON_TIME) -> Path:
        """An archive of the kind that its name says."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith(".zip"):
            make_zip(path, dict(files))
        else:
            make_tar(path, dict(files))
        os.utime(path, (when, when))
        return path

    def stray(self) -> None:
        """What is in every such folder and belongs to nobody."""
        self.put("class.toml", CLASS_TOML.encode())
        self.put(".DS_Store", b"x")
        self.put("__MACOSX/._x", b"x")
        self.put("grades to upload.csv", b"x")
        self.ignored |= {
            ".DS_Store: data of macOS",
            "__MACOSX: data of macOS",
            "grades to upload.csv: neither a folder, nor an archive, nor a script",
        }


def moodle(folder: Path, content: Content = small, as_folders: bool = True) -> Made:
    """A download of an assignment from Moodle, with or without folders."""
    made = Made(folder)
    made.stray()
    for number, name in enumerate(NAMES):
        key = str(4_100_000 + 37 * number)
        in_name = name.replace("_", " ")  # as Moodle does
        if number == 7:
            in_name, made.names[key] = "Participant", None
        elif number == 8:
            in_name, made.names[key] = f"Group B-{in_name}", in_name
            made.noted[key] = "handed in by Group B"
        else:
            made.names[key] = in_name
        made.files[key] = files = dict(content(number))
        when = LATE if number % 10 == 3 else ON_TIME
        made.late |= {key} if when == LATE else set()
        base = f"{in_name}_{key}_assignsubmission_file_"
        if as_folders:
            _moodle_folder(made, number, key, base, files, when)
        else:
            for file, data in files.items():
                made.put(f"{base}{file}", data, when)
        if number % 6 == 5:
            _online_text(made, key, base, files, as_folders)
    return made


def _moodle_folder(
    made: Made, number: int, key: str, base: str, files: dict[str, bytes], when: int
) -> None:
    kind = number % 8
    folder = base if number % 2 else base.rstrip("_")  # newer Moodles leave the last mark away
    if kind == 1:
        made.put(f"{folder}/.git/HEAD", b"x", when)
        made.put(f"{folder}/venv/lib/python3.11/site-packages/torch.py", b"x", when)
        made.ignored |= {
            f"{folder}/.git: version history",
            f"{folder}/venv: a virtual environment",
        }
    if kind == 2:
        made.pack(f"{folder}/hw3.tar.gz", {f"work/{n}": d for n, d in files.items()}, when)
        os.utime(made.folder / folder / "hw3.tar.gz", (when, when))
        return
    if kind == 3:
        made.pack(f"{folder}/homework.zip", {**files, "__MACOSX/._hw3.py": b"x"}, LATE)
        place = key if number % 6 == 5 else folder  # what came in two parts goes by the id
        made.ignored.add(f"{place}/homework.zip/__MACOSX: data of macOS")
        if when == ON_TIME:
            os.utime(made.folder / folder / "homework.zip", (ON_TIME, ON_TIME))
        return
    if kind == 4:
        for file in files:
            made.put(f"{folder}/attempt 1/{file}", b"old", LATE)
        made.ignored.add(f"{folder}/attempt 2/Thumbs.db: data of Windows")
        folder = f"{folder}/attempt 2"
        made.put(f"{folder}/Thumbs.db", b"x", when)
        made.noted[key] = "attempt 2 is the latest of 2 attempts; not looked at: attempt 1"
        made.ignored.add(f"{folder[:-10]}/attempt 1: an earlier attempt; attempt 2 counts")
    if kind == 6:
        made.put(f"{folder}/hw3.py", b"old", LATE)
        made.ignored.add(f"{folder}: an earlier attempt; {folder} (2) counts")
        made.noted[key] = f"{folder} (2) is the latest of 2 attempts; not looked at: {folder}"
        folder = f"{folder} (2)"
    if kind == 7:
        folder = f"{folder}/My Homework/final"
    for file, data in files.items():
        made.put(f"{folder}/{file}", data, when)


def _online_text(
    made: Made, key: str, base: str, files: dict[str, bytes], as_folders: bool
) -> None:
    files["onlinetext.html"] = b"<p>Q1: 3 and 3</p>"
    part = base.replace("_file_", "_onlinetext_") + ("/" if as_folders else "")
    made.put(f"{part}onlinetext.html", files["onlinetext.html"])


def canvas(folder: Path, content: Content = small) -> Made:
    """A download of an assignment from Canvas."""
    made = Made(folder)
    made.stray()
    for number, name in enumerate(NAMES):
        key = str(9000 + 11 * number)
        login = "".join(
            c for c in "".join(reversed(name.split())) if c.isalnum() or c in "_"
        ).lower()
        made.names[key] = login
        made.files[key] = files = dict(content(number))
        late = "_LATE" if number % 10 == 3 else ""
        made.late |= {key} if late else set()
        base = f"{login}{late}_{key}_{770_000 + 40 * number}"
        _canvas_files(made, number, key, base, files)
    return made


def _canvas_files(made: Made, number: int, key: str, base: str, files: dict[str, bytes]) -> None:
    kind = number % 8
    prefix = base.rsplit("_", 1)[0].replace("_LATE", "")
    if kind == 2:
        made.pack(f"{base}_hw3.tgz", {f"work/{n}": d for n, d in files.items()})
        return
    if kind == 3:
        made.pack(f"{base}_My work-1.zip", {**files, "hw/Thumbs.db": b"x"})
        made.ignored.add(f"{base}_My work-1.zip/hw/Thumbs.db: data of Windows")
        return
    for place, (file, data) in enumerate(files.items()):
        end = Path(file).suffix
        sent = base[: -len(str(place))] + str(place) if place else base
        if kind == 4 and end == ".py":
            made.put(f"{sent}_{file}", b"old", LATE)
            again = file.replace(".py", "-1.py")
            made.put(f"{base[:-2]}39_{again}", data)
            made.noted[key] = f"{again} is the latest of 2 attempts; not looked at: {file}"
            made.ignored.add(f"{prefix}_{file}: an earlier attempt; {again} counts")
        elif kind == 5:
            made.put(f"{sent}_{file.replace(end, f'-2{end}')}", data)
        else:
            made.put(f"{sent}_{file}", data)
    if kind == 6:
        made.put(f"{base[:-2]}38_.DS_Store", b"x")
        made.ignored.add(f"{base[:-2]}38_.DS_Store: data of macOS")
    if kind == 7:
        files["text.html"] = b"<p>Q1: 3 and 3</p>"
        made.put(f"{prefix}_text.html", files["text.html"])
