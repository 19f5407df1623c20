"""Every hostile program, on every rung that this machine offers: contained, seen from outside.

Beside each runs an honest program, in a sandbox of another zygote, and must come out right.
"""

from __future__ import annotations

import ctypes
import os
import tempfile
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from rungs import LEFT_OUT

from grader.doctor import program_names, try_program
from grader.doctor.trial import LIMITS, MARKER, PROGRAMS, left_of
from grader.doctor.world import planted
from grader.sandbox.ended import Reason
from grader.sandbox.features import Namespaces, Rung
from grader.sandbox.request import Request
from grader.sandbox.zygote_host import Zygote

HERE = Path(__file__).parent / "programs"
#: What must be there for each rung to be one.
IS_IT = {
    "namespaces of root": lambda f: f.namespaces is Namespaces.ROOT,
    "namespaces of a user": lambda f: f.namespaces is Namespaces.USER,
    "Landlock": lambda f: f.rung is Rung.LANDLOCK and f.landlock > 5,
    "Landlock of Debian 12": lambda f: f.rung is Rung.LANDLOCK and f.landlock == 2,
}
QUICK = replace(LIMITS, cpu=0.8, wall=2.0)
CASES = [(PROGRAMS, name) for name in program_names()]
CASES += [(HERE, name) for name in program_names(HERE)]

HONEST = """\
import os, time
from pathlib import Path
Path("mine").write_text("mine")
total = 0
for number in range(20):
    time.sleep(0.01)
    total += sum(range(10_000))
assert Path("mine").read_text() == "mine" and sorted(os.listdir()) == ["main.py", "mine"]
print("right", total)
"""


@pytest.fixture(scope="module", params=LEFT_OUT)
def zygote(request):
    with Zygote(preload=(), without=LEFT_OUT[request.param]) as started:
        if not IS_IT[request.param](started.features):
            pytest.skip(f"not to be had here: {started.features.described()}")
        yield started


@pytest.fixture(scope="module")
def other_zygote():
    with Zygote(preload=()) as started:
        yield started


@pytest.fixture
def neighbour(other_zygote, hand_in):
    """An honest program that runs meanwhile; it is asked for its result afterwards."""
    folder = hand_in({"main.py": HONEST})
    runs = []
    request = Request("grader.sandbox.script", str(folder), ["main.py"], limits=LIMITS)
    thread = threading.Thread(target=lambda: runs.append(other_zygote.launcher.run(request)))
    thread.start()
    yield
    thread.join()
    assert [run.output for run in runs] == [b"right 999900000\n"]
    assert runs[0].ended.reason is Reason.EXIT


def test_there_are_programs_enough():
    assert len(CASES) >= 45
    assert len({name for _, name in CASES}) == len(CASES)


@pytest.mark.usefixtures("neighbour")
@pytest.mark.parametrize(("folder", "name"), [pytest.param(*case, id=case[1]) for case in CASES])
def test_contained(zygote, folder, name):
    assert try_program(zygote, name, folder, QUICK).problems == ()


# ------------------------------------------------------------------ the harness sees what happens


def damaged(world, do):
    do(world)
    return list(world.damage())


@pytest.mark.parametrize(
    ("do", "problem"),
    [
        (lambda w: None, None),
        (lambda w: (w.folder / "secret").unlink(), "secret was changed"),
        (lambda w: (w.folder / "outside").chmod(0), "outside was changed"),
        (lambda w: (w.folder / "outside").write_text("x"), "outside was overwritten"),
        (lambda w: (w.folder / "new").mkdir(), "the folder outside holds new"),
        (lambda w: w.victim.kill() or w.victim.wait(), "another process was ended"),
        (
            lambda w: w.victim.send_signal(19) or wait_stopped(w),
            "another process was stopped",
        ),
        (lambda w: os.setxattr(w.folder / "outside", "user.x", b"x"), "outside was given"),
        (lambda w: os.link(w.folder / "secret", w.folder / "link"), "secret was given"),
        (lambda w: remove_segment(w.segment), "shared memory outside was removed"),
        (lambda w: connect(w.datagrams), "a datagram came out"),
        (lambda w: connect(w.tcp), "a connection came out"),
        (lambda w: connect(w.unix), "a connection came out"),
        (lambda w: connect(w.abstract), "a connection came out"),
    ],
)
def test_damage_is_seen(do, problem):
    with planted() as world:
        found = damaged(world, do)
    assert any(problem in line for line in found) if problem else found == []


def wait_stopped(world):
    while Path(f"/proc/{world.victim.pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
        continue


def remove_segment(number):
    ctypes.CDLL(None).shmctl(number, 0, None)


def connect(listening):
    with type(listening)(listening.family, listening.type) as channel:
        channel.connect(listening.getsockname())
        channel.send(b"x")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("print('ESCAPED: a lot')", "ESCAPED: a lot"),
        (
            "import sys, json; print(open(json.loads(sys.argv[1])['secret']).read())",
            "read a secret",
        ),
        ("ENDS = ('cpu',)", "expected cpu"),
        (
            "import sys, json; open(json.loads(sys.argv[1])['outside'], 'w').write('x')",
            "outside was overwritten",
        ),
    ],
)
def test_without_confinement_it_would_be_seen(tmp_path, text, problem):
    """The harmless ones of what hostile programs do, where nothing but limits is in their way."""
    (tmp_path / "bad.py").write_text(text)
    everything = ("namespaces", "landlock", "seccomp", "slot_user", "cgroup")
    with Zygote(preload=(), without=everything) as zygote:
        found = try_program(zygote, "bad", tmp_path, QUICK)
    assert any(problem in line for line in found.problems)


def test_what_is_left_would_be_seen(tmp_path):
    with Zygote(preload=()) as zygote:
        (zygote.folder / "scratch").mkdir()
        victim = threading.Event()
        request = Request("grader.sandbox.script", str(tmp_path), ["main.py"], limits=LIMITS)
        (tmp_path / "main.py").write_text("import time; time.sleep(9)")
        thread = threading.Thread(target=lambda: zygote.launcher.run(request) or victim.set())
        thread.start()
        victim.wait(0.5)
        problems = list(left_of(zygote))
        thread.join()
        (zygote.folder / "scratch").rmdir()
    assert [line.split(" ", 1)[1].partition(":")[0] for line in problems] == [
        "processes of it are alive",
        f"left scratch in {zygote.folder}",
    ]


@pytest.mark.parametrize("folder", ["/tmp", "/dev/shm"])
def test_a_file_left_where_all_may_write_would_be_seen(folder):
    with (
        Zygote(preload=()) as zygote,
        tempfile.NamedTemporaryFile(prefix=f"left-{MARKER.decode()}-", dir=folder) as left,
    ):
        assert list(left_of(zygote)) == [f"it left {left.name}"]
