"""Class folders as they should not be: input NUMBER of the fuzzer of the intake."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from damage import damaged
from odd_code import MODEL, some_code, some_notebook
from odd_names import as_part, damaged_name, some_name
from odd_tars import PACKERS, some_tar
from odd_zips import some_zip

NEIGHBOUR = "s00"  # an honest hand-in, in every class that is read
REPORTS = Path(__file__).parents[1] / "intake" / "reports"
_DEADLINES = ("", "", "deadline = 2026-04-30T23:59:59+03:00\n", "deadline = 2026-04-30\n")


@dataclass(frozen=True)
class Link:
    """A symbolic link."""

    target: str


class Pipe:
    """What is no file: opened by accident, it never ends."""


@dataclass(frozen=True)
class Deep:
    """So many folders in one another."""

    depth: int


_LINKS = tuple(
    map(Link, ("/etc/passwd", "..", "loop", ".", "x" * 300, "/", "nowhere", "/proc/self"))
)

Content = bytes | Link | Pipe | Deep | None  # None is an empty folder
Files = dict[str, Content]


@dataclass
class OddClass:
    """What lies in the class folder. `archive` is the ending and content of a class in one file.

    `may_be_refused`: whether what is odd concerns the class as a whole. `is_drawn`: whether
    report.pdf is to be drawn, which takes long.
    """

    kind: str
    files: Files = field(default_factory=dict)
    archive: tuple[str, bytes] | None = None
    may_be_refused: bool = False
    is_drawn: bool = False

    def put(self, place: Path) -> Path:
        """Write it where it was handed in; returns what to grade."""
        if self.archive is not None:
            ending, content = self.archive
            path = place / f"class{ending}"
            path.write_bytes(content)
            return path
        folder = place / "class"
        folder.mkdir()
        for name, content in self.files.items():
            try:
                write(folder / name, content)
            except (OSError, ValueError):  # no disk holds such a name
                continue
        return folder


def write(path: Path, content: Content) -> None:
    """Put it there, with the folders around it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, Link):
        path.symlink_to(content.target)
    elif isinstance(content, Pipe):
        os.mkfifo(path)
    elif isinstance(content, Deep):
        _write_deep(path, content.depth)
    elif content is None:
        path.mkdir()
    else:
        path.write_bytes(content)


def _write_deep(path: Path, depth: int) -> None:
    """One by one: a path to the innermost is too long for the system."""
    path.mkdir()
    place = os.open(path, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("a", dir_fd=place)
        inner = os.open("a", os.O_RDONLY, dir_fd=place)
        os.close(place)
        place = inner
    os.close(place)


class Maker:
    """Makes the inputs of a seed."""

    def __init__(self, seed: int, scratch: Path) -> None:
        self._seed = seed
        self._reports = [
            (path.suffix, path.read_bytes())
            for path in sorted(REPORTS.iterdir())
            if path.suffix in {".pdf", ".docx", ".html", ".md"} and path.stat().st_size < 100_000
        ]
        self._downloads = _downloads(scratch)

    def made(self, number: int) -> OddClass:
        """Input `number`."""
        chance = random.Random(f"{self._seed} {number}")
        [kind] = chance.choices(list(_KINDS), [weight for weight, _ in _KINDS.values()])
        made = _KINDS[kind][1](self, chance)
        made.kind, made.is_drawn = kind, chance.random() < 0.05
        made.files.setdefault(f"{NEIGHBOUR}.py", MODEL.encode())
        return made

    # -------------------------------------------------------------- one odd hand-in

    def an_archive(self, chance: random.Random) -> OddClass:
        """One hand-in is an archive; or a folder with one in it."""
        ending, content = self._packed(chance, self._files(chance), 0.9)
        place = chance.choice(("s01{}", "s01{}", "s01/work{}", "s01/a/b/c{}")).format(ending)
        files: Files = {place: content}
        if chance.random() < 0.1:
            files[place.replace(ending, "")] = MODEL.encode() if "/" in place else None
        return OddClass("", {**files, **self._told(chance)})

    def a_script(self, chance: random.Random) -> OddClass:
        """One hand-in is a script or a notebook that nobody would write."""
        files: Files = {}
        for n in range(chance.choice((1, 1, 2, 3))):
            book = chance.random() < 0.5
            name = f"s01/hw{n}" + (".ipynb" if book else ".py")
            files[name] = some_notebook(chance) if book else some_code(chance)
        return OddClass("", {**files, **self._told(chance)})

    def a_folder(self, chance: random.Random) -> OddClass:
        """One hand-in is a folder of odd names, links and pipes."""
        files: Files = {}
        for _ in range(chance.choice((1, 2, 4, 10))):
            name = some_name(chance, 0.6).lstrip("/").replace("\0", "")
            parts = [part for part in map(as_part, name.split("/")) if part][:700]
            content: Content = self._content(chance, name)
            if chance.random() < 0.2:
                content = chance.choice((*_LINKS, Pipe(), None))
            files["s01/" + "/".join(parts or ["hw3.py"])] = content
        if chance.random() < 0.2:
            files["s01/loop"] = Link("loop")
        return OddClass("", {**files, **self._told(chance)})

    # -------------------------------------------------------------- an odd class

    def names(self, chance: random.Random) -> OddClass:
        """Hand-ins of odd names, some of them twice, nothing at all, a link or a pipe."""
        made = OddClass("", may_be_refused=True)
        for _ in range(chance.choice((1, 2, 5))):
            part = as_part(some_name(chance, 0.8)) or "x"
            inside = chance.choice(("", "/hw3.py", "/a/b/report.pdf"))
            made.files[part + inside] = self._content(chance, part + inside)
            if not inside and chance.random() < 0.3:
                made.files[part] = chance.choice((*_LINKS, Pipe(), None))
        if chance.random() < 0.1:
            for prefix in ("homework3-ann", "homework3-..", "homework3-ben"):
                made.files[f"{prefix}/.git/HEAD"] = b"x"
        made.files |= self._told(chance)
        return made

    def a_download(self, chance: random.Random) -> OddClass:
        """What Moodle and Canvas make, some of its names damaged."""
        whole = chance.choice(self._downloads)
        made = OddClass("", may_be_refused=True)
        for top in chance.sample(sorted(whole), chance.choice((1, 3, 6))):
            name = (as_part(damaged_name(chance, top)) or top) if chance.random() < 0.5 else top
            made.files |= {f"{name}{inner}": content for inner, content in whole[top].items()}
        made.files |= self._told(chance)
        return made

    def a_class_archive(self, chance: random.Random) -> OddClass:
        """The whole class in one zip or tarball."""
        files: dict[str, bytes] = {f"{NEIGHBOUR}/hw3.py": MODEL.encode()}
        for n in range(1, chance.choice((2, 3, 5))):
            files |= {f"s0{n}/{name}": content for name, content in self._files(chance).items()}
        if chance.random() < 0.5:
            files["class.toml"] = self._settings(chance)
        top = chance.choice(("", "", "class/", "a/b/"))
        packed = self._packed(chance, {top + name: c for name, c in files.items()}, 0.7)
        return OddClass("", archive=packed, may_be_refused=True)

    def said(self, chance: random.Random) -> OddClass:
        """class.toml and the roster are damaged."""
        settings, roster = self._settings(chance), _ROSTER.encode()
        if chance.random() < 0.7:
            settings = damaged(chance, settings, roster)
        if chance.random() < 0.5:
            roster = damaged(chance, roster, settings)
        files: Files = {"s07/hw3.py": MODEL.encode(), "class.toml": settings, "roster.csv": roster}
        return OddClass("", files, may_be_refused=True)

    # -------------------------------------------------------------- parts of them

    def _files(self, chance: random.Random, depth: int = 0) -> dict[str, bytes]:
        files = {}
        for _ in range(chance.choice((1, 1, 2, 3, 6))):
            name = some_name(chance, 0.25)
            files[name] = self._content(chance, name)
        if depth < 5 and chance.random() < 0.3:
            ending, content = self._packed(chance, self._files(chance, depth + 1), 0.5)
            files[f"{chance.choice(('inner', 'a/inner', 'hw3'))}{ending}"] = content
        return files

    def _packed(
        self, chance: random.Random, files: dict[str, bytes], odd: float
    ) -> tuple[str, bytes]:
        """An archive by its ending; sometimes that of another."""
        ending = chance.choice((".zip", ".zip", ".zip", *PACKERS))
        content = (
            some_zip(chance, files, odd)
            if ending == ".zip"
            else some_tar(chance, files, ending, odd)
        )
        if chance.random() < 0.4 * odd:
            content = damaged(chance, content, content)
        if chance.random() < 0.05:
            ending = chance.choice((".zip", *PACKERS, ".rar"))
        return ending, content

    def _content(self, chance: random.Random, name: str) -> bytes:
        if name.lower().endswith(".ipynb"):
            return some_notebook(chance)
        if chance.random() < 0.02:
            return bytes(chance.choice((12, 30)) << 20)
        if name.lower().endswith((".pdf", ".docx")):
            return chance.choice(self._reports)[1]
        return MODEL.encode() if chance.random() < 0.7 else some_code(chance)

    def _told(self, chance: random.Random) -> Files:
        said = chance.choice(_DEADLINES)
        return {"class.toml": said.encode()} if said else {}

    def _settings(self, chance: random.Random) -> bytes:
        text = _SETTINGS
        for _ in range(chance.choice((0, 1, 1, 2))):
            lines = text.splitlines(keepends=True)
            at, odd = chance.randrange(len(lines) + 1), chance.choice(_ODD_SETTINGS)
            same = [n for n, line in enumerate(lines) if line.startswith(odd.split(" ")[0] + " ")]
            if same and chance.random() < 0.7:
                at = chance.choice(same)
                lines[at] = ""
            text = "".join([*lines[:at], odd, "\n", *lines[at:]])
        return text.encode("utf-8", "surrogatepass")


_SETTINGS = """\
assignment = "hw3"
deadline = 2026-04-30T18:00:00+03:00
roster = "roster.csv"
[overrides.s07]
name = "Õnne Žukova"
deadline = 2026-05-07
excused = "was ill"
files = { report = "docs/answers.pdf", model = "hw3.py" }
points."t3.even" = { earned = 0.5, reason = "explained in person" }
"""
_ODD_SETTINGS = (
    *("deadline = 0001-01-01T00:00:00+14:00", "deadline = 9999-12-31T23:59:59-14:00"),
    *("deadline = 0001-01-01",),
    *("deadline = 23:59:59", "deadline = 1e999", "deadline = 2026-02-31", "assignment = '../hw3'"),
    *("assignment = 'x'", "assignment = ''", "roster = ''", "roster = '.'", "roster = '../canary'"),
    *(f"roster = '{'x' * 300}'", 'roster = "a\\u0000b"', "roster = '/dev/zero'"),
    *("roster = 'class.toml'",),
    *("[" * 3000, "a = " + "[" * 5000, f"a = {'9' * 5000}", ".".join("a" * 3000) + " = 1"),
    *("[" + ".".join("a" * 1500) + "]", "a = " + "{b=" * 3000, "[overrides]", "[[overrides]]"),
    *("[overrides.s00]",),
    *('[overrides."../s07"]', '[overrides.""]', f"[overrides.{'x' * 2000}]", "overrides = 5"),
    *("points.t3.even = { earned = 1, reason = 'x' }",),
    *("points.'t3.even' = { earned = nan, reason = 'x' }",),
    *("points.'t3.even' = { earned = inf, reason = ' ' }",),
    *("points.x = { earned = 1e308, reason = 'x' }",),
    *("files = { model = '../s00.py' }", "files = { model = '' }"),
    *("files = { model = '/etc/passwd' }",),
    *('files = { report = "a\\u0000" }', "files = { '\\' = 'x' }", 'name = "\\u202Ex"'),
    *("name = ''",),
    *('name = "a\\nb\\u0007"', f"name = '{'n' * 5000}'", "\0", "\ufeff", "a = '''"),
    *("x = \"\\ud800\"",),
)  # fmt: skip
_ROSTER = 'id,name\ns00,"Ann, A."\ns07,Õnne Žukova\ns08,Ben\n'


def _downloads(scratch: Path) -> list[dict[str, Files]]:
    """Whole downloads: what is in each file or folder of them, by its name."""
    sys.path.insert(0, str(REPORTS.parent))
    from downloads import canvas, moodle

    made: list[Callable[[Path], object]] = [moodle, lambda f: moodle(f, as_folders=False), canvas]
    found = []
    for n, make in enumerate(made):
        folder = scratch / f"download{n}"
        make(folder)
        tops: dict[str, Files] = {}
        for file in folder.rglob("*"):
            if file.is_file():
                top, *inner = file.relative_to(folder).parts
                tops.setdefault(top, {})["".join(f"/{part}" for part in inner)] = file.read_bytes()
        found.append(tops)
    return found


_KINDS: dict[str, tuple[int, Callable[[Maker, random.Random], OddClass]]] = {
    "archive": (40, Maker.an_archive),
    "script": (15, Maker.a_script),
    "folder": (10, Maker.a_folder),
    "names": (10, Maker.names),
    "download": (8, Maker.a_download),
    "class archive": (12, Maker.a_class_archive),
    "settings": (10, Maker.said),
}
