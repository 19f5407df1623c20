"""One hostile program in one sandbox, and what came of it, seen from outside."""

from __future__ import annotations

import ast
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from grader.doctor.world import World, planted
from grader.sandbox.ended import Ended, Run
from grader.sandbox.limits import Limits
from grader.sandbox.request import Request
from grader.sandbox.zygote_host import Zygote

PROGRAMS = Path(__file__).parent / "programs"

LIMITS = Limits(
    cpu=1,
    wall=3,
    memory=256 << 20,
    file=16 << 20,
    files=64,
    scratch=32 << 20,
    scratch_files=200,
    processes=32,
)
OUTPUT_LIMIT = 1 << 20
_LONGEST = 10.0  # seconds, from the request to the end, whatever the program does

#: In the command line or name of what programs leave behind, so that it can be found.
MARKER = b"68.0625"
#: Where anybody may leave files, on most machines.
_OPEN_TO_ALL = ("/", "/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue", "/run", "/run/lock")  # noqa: S108


@dataclass(frozen=True)
class Finding:
    """What a program tried, how it ended, and what it should not have been able to do."""

    name: str
    tries: str
    ended: Ended
    seconds: float
    problems: tuple[str, ...]

    @property
    def contained(self) -> bool:
        return not self.problems


def program_names(folder: Path = PROGRAMS) -> list[str]:
    return sorted(path.stem for path in folder.glob("*.py"))


def try_program(
    zygote: Zygote, name: str, folder: Path = PROGRAMS, limits: Limits = LIMITS
) -> Finding:
    """Run a program of `folder` with small limits and look around afterwards.

    Its docstring says what it tries. ENDS in it lists the endings (`Reason`) that are right for
    it; without, any is. It prints "ESCAPED: what" where something worked that must not.
    """
    source = folder / f"{name}.py"
    tree = ast.parse(source.read_text("utf-8"))
    with planted() as world, tempfile.TemporaryDirectory(prefix="grade-doctor-") as scratch:
        shutil.copy(source, Path(scratch, "main.py"))
        arguments = ["main.py", world.described()]
        environment = {"PATH": "/usr/bin:/bin"}
        request = Request("grader.sandbox.script", scratch, arguments, environment, limits)
        began = time.monotonic()
        run = zygote.launcher.run(request, output_limit=OUTPUT_LIMIT, output_kept=OUTPUT_LIMIT)
        seconds = time.monotonic() - began
        problems = (*_problems(run, seconds, _ends(tree), world), *left_of(zygote))
    return Finding(name, tries(source), run.ended, seconds, problems)


def tries(source: Path) -> str:
    """What a program tries, in its own words."""
    return ast.get_docstring(ast.parse(source.read_text("utf-8"))) or source.stem


def _ends(tree: ast.Module) -> tuple[str, ...] | None:
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "ENDS":
            return tuple(ast.literal_eval(node.value))
    return None


def _problems(
    run: Run, seconds: float, ends: tuple[str, ...] | None, world: World
) -> Iterator[str]:
    text = run.output.decode("utf-8", "replace")
    yield from (line for line in text.splitlines() if line.startswith("ESCAPED"))
    if world.token in text:
        yield "it read a secret"
    if ends is not None and run.ended.reason not in ends:
        yield f"it {run.ended}, expected {' or '.join(ends)}"
    if seconds > _LONGEST:
        yield f"it took {seconds:.1f} s"
    yield from world.damage()


def left_of(zygote: Zygote) -> Iterator[str]:
    """What sandboxes left behind: processes, and files in their folder."""
    until = time.monotonic() + 2
    while (alive := _alive(zygote)) and time.monotonic() < until:
        time.sleep(0.02)  # a supervisor reports a moment before it ends
    if alive:
        yield f"{len(alive)} processes of it are alive: {', '.join(alive[:5])}"
    names = {path.name for path in zygote.folder.iterdir()} - {"socket"}
    if names:
        yield f"it left {', '.join(sorted(names))} in {zygote.folder}"
    for folder in map(Path, _OPEN_TO_ALL):
        yield from (f"it left {path}" for path in folder.glob(f"*{MARKER.decode()}*"))


def _alive(zygote: Zygote) -> list[str]:
    """Processes of sandboxes: they have the zygote's command line, or the programs' marker."""
    ours = str(zygote.folder).encode()
    alive = []
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        pid = line.parent.name
        try:
            command = line.read_bytes()
        except OSError:
            continue  # it ended while we looked
        if int(pid) != zygote.pid and (MARKER in command or ours in command):
            alive.append(pid)
    return alive
