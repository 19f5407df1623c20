"""Control groups, where the grader may make some: what they bound, end and leave behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from grader.sandbox.ended import Reason
from grader.sandbox.kernel import cgroup
from grader.sandbox.kernel.processes import descendants
from grader.sandbox.limits import Limits
from grader.sandbox.request import Request
from grader.sandbox.zygote_host import Zygote


@pytest.fixture
def zygote():
    """One that has made this process ready for groups."""
    with Zygote(preload=(), without=["namespaces"]) as started:
        if not started.features.cgroup:
            pytest.skip(f"no control groups here: {started.features.missing['cgroup']}")
        yield started


@pytest.fixture
def group(zygote):
    made = cgroup.Group(memory=0, processes=8)
    yield made
    made.remove()


def groups():
    return sorted(folder.name for folder in cgroup._top().glob("sandbox-*"))


def python_in(group, text):
    """A program that enters the group and goes on with `text`."""
    return subprocess.Popen(
        [sys.executable, "-c", f"import os\nos.write({group.door}, b'0')\n{text}"],
        pass_fds=[group.door],
        stdout=subprocess.PIPE,
        text=True,
    )


def test_memory_is_bounded_and_its_lack_ends_all(group):
    with python_in(group, "import time; time.sleep(60)") as other:
        assert not group.ran_out_of_memory()
        with python_in(group, "bytearray(256 << 20)") as greedy:
            assert greedy.wait(30) == -signal.SIGKILL
        assert other.wait(30) == -signal.SIGKILL
    assert group.ran_out_of_memory()


def test_processes_are_bounded(group):
    forks = """
import signal
try:
    for number in range(99):
        if os.fork() == 0: signal.pause()
except BlockingIOError:
    print(number)
"""
    with python_in(group, forks) as parent:
        assert parent.stdout.readline() == "7\n"  # and itself
        group.kill()


def test_a_kill_reaches_what_has_left_its_parent(group):
    daemon = """
import time
if os.fork(): os._exit(0)
os.setsid()
print(os.getpid(), flush=True)
time.sleep(60)
"""
    with python_in(group, daemon) as parent:
        pid = int(parent.stdout.readline())
        os.kill(pid, 0)  # it is there
        group.kill()
        assert parent.stdout.read() == ""  # its end of the pipe is closed, so it has ended


def run(zygote, hand_in, text, **limits):
    folder = hand_in({"main.py": text})
    request = Request("grader.sandbox.script", str(folder), ["main.py"], {}, Limits(**limits))
    return zygote.launcher.run(request).ended


def test_no_group_is_left(zygote, hand_in):
    assert run(zygote, hand_in, "print()").reason is Reason.EXIT
    assert groups() == []


def test_too_much_memory_is_told_as_such(zygote, hand_in):
    text = "import mmap; mmap.mmap(-1, 900 << 20, flags=mmap.MAP_SHARED | mmap.MAP_POPULATE)"
    assert run(zygote, hand_in, text, memory=64 << 20, scratch=1 << 20).reason is Reason.MEMORY


def test_what_a_killed_grader_left_is_removed_by_the_next(zygote, hand_in):
    folder = hand_in({"main.py": "print(flush=True); import time; time.sleep(60)"})
    request = Request("grader.sandbox.script", str(folder), ["main.py"])
    output, theirs = os.pipe()
    nothing = os.open(os.devnull, os.O_RDWR)
    sandbox = zygote.launcher._start(request, nothing, theirs, os.dup(nothing))
    with sandbox.control, os.fdopen(output, "rb") as pipe:
        pipe.readline()
        (supervisor,) = (pid for pid in descendants(zygote.pid) if f"sandbox-{pid}" in groups())
        os.kill(supervisor, signal.SIGKILL)
        pipe.read()
    assert groups() == [f"sandbox-{supervisor}"]
    with Zygote(preload=()):
        assert groups() == []
