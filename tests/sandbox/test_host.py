"""The grader's side of a worker: it always comes back, and leaves nothing open."""

from __future__ import annotations

import os
import textwrap
import threading
import time
from pathlib import Path

import pytest
from stand_ins import FakeLauncher, alive

from grader.errors import InternalError
from grader.sandbox.cold import ColdLauncher
from grader.sandbox.ended import from_status
from grader.sandbox.host import OUTPUT_KEPT, Worker, WorkerLost
from grader.sandbox.limits import Limits
from grader.sandbox.options import WorkerOptions

READY = "send({'status': 'ready'})\n"
ECHO = READY + "while True: send({'id': request()['id']}, b'abc')\n"


def worker_of(script):
    return Worker(FakeLauncher(script).launch(Path(), WorkerOptions(1)))


def open_files():
    return len(list(Path("/dev/fd").iterdir())), threading.active_count()


def test_questions_are_answered_one_by_one():
    worker = worker_of(ECHO)
    for _ in range(3):
        header, buffers = worker.ask({"probe": "x"}, [b"data"], seconds=5)
        assert buffers == [b"abc"]
        assert set(header) == {"id"}
    worker.close()


def test_closing_twice_does_no_harm_and_nothing_stays_open():
    worker_of(ECHO).close()  # whatever the first use keeps
    before = open_files()
    for script in (ECHO, READY + "raw(b'garbage garbage')", READY + "os._exit(0)"):
        worker = worker_of(script)
        if script != ECHO:
            with pytest.raises(WorkerLost):
                worker.ask({}, [], seconds=5)
        worker.close()
        worker.close()
    assert open_files() == before


def test_a_worker_that_does_not_read_cannot_hold_us_up():
    worker = worker_of(READY + "time.sleep(60)")
    began = time.monotonic()
    with pytest.raises(WorkerLost, match="did not finish"):
        worker.ask({}, [b"x" * (8 << 20)], seconds=0.5)
    assert time.monotonic() - began < 4


def test_a_process_that_left_the_group_cannot_hold_us_up():
    daemon = """
    import subprocess
    child = subprocess.Popen(["sleep", "6"], start_new_session=True)
    print(child.pid, file=sys.stderr, flush=True)
    time.sleep(60)
    """
    worker = worker_of(READY + textwrap.dedent(daemon))
    began = time.monotonic()
    with pytest.raises(WorkerLost) as lost:
        worker.ask({}, [], seconds=0.5)
    assert time.monotonic() - began < 5
    os.kill(int(lost.value.output), 9)


def test_a_closed_worker_was_killed_with_its_children():
    children = """
    import subprocess
    child = subprocess.Popen(["sleep", "60"])
    print(child.pid, file=sys.stderr, flush=True)
    time.sleep(60)
    """
    worker = worker_of(READY + textwrap.dedent(children))
    with pytest.raises(WorkerLost) as lost:
        worker.ask({}, [], seconds=0.5)
    child = int(lost.value.output)
    deadline = time.monotonic() + 5
    while alive(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not alive(child)


def test_only_the_end_of_the_output_is_kept():
    worker = worker_of(
        READY + "os.write(2, b'a' * 300000 + b'the end'); send({'id': request()['id']})\n"
        "time.sleep(60)"
    )
    worker.ask({}, [], seconds=5)
    deadline = time.monotonic() + 5
    while not worker.output.endswith("the end") and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(worker.output) == OUTPUT_KEPT
    assert worker.output.endswith("the end")
    worker.close()


def test_output_that_is_no_text_is_shown_as_well_as_possible():
    worker = worker_of(READY + "os.write(2, b'\\xff\\xfe ok'); os._exit(5)")
    with pytest.raises(WorkerLost, match="exit code 5") as lost:
        worker.ask({}, [], seconds=5)
    assert lost.value.output.endswith("ok")


def test_an_end_that_follows_an_answer_at_once_is_no_second_answer():
    class Slow(Worker):
        def _next(self, seconds):
            time.sleep(0.3)  # as on a busy machine: all has come by now
            return super()._next(seconds)

    script = READY + "send({'id': request()['id']}, b'abc'); os._exit(5)"
    worker = Slow(FakeLauncher(script).launch(Path(), WorkerOptions(1)))
    assert worker.ask({}, [], seconds=5)[1] == [b"abc"]
    with pytest.raises(WorkerLost, match="exit code 5"):
        worker.ask({}, [], seconds=5)


def test_exits_are_told_in_words():
    assert str(from_status(3)) == "exit code 3"
    assert str(from_status(-11)) == "killed by signal 11 (SIGSEGV)"


def test_a_cold_worker_that_cannot_start_is_our_fault(tmp_path):
    launcher = ColdLauncher({"PATH": os.environ["PATH"]}, limits=Limits(files=3))
    with pytest.raises(InternalError, match=r"(?s)did not start.*Too many open files"):
        Worker(launcher.launch(tmp_path, WorkerOptions(1)))
