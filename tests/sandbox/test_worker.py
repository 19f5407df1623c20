"""What student code finds in its process, and what it cannot take from us."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from stand_ins import MODEL

from grader.checking.observations import ProbeFailed
from grader.errors import InternalError
from grader.judge.prober import WorkerProber
from grader.sandbox.cold import ColdLauncher
from grader.sandbox.environment import clean_environment
from grader.sandbox.limits import Limits
from grader.sandbox.request import Request
from grader.sandbox.zygote_host import Zygote

LOOK = """\
import json, os, resource, stat, sys
def look():
    seen = {
        "environment": dict(os.environ), "cwd": os.getcwd(), "path": sys.path, "argv": sys.argv,
        "stdin": sys.stdin.read(), "group": os.getpgid(0), "pid": os.getpid(),
        "parent": os.getppid(),
        "files": [f for f in os.listdir("/proc/self/fd") if os.path.exists("/proc/self/fd/" + f)],
        "limits": [resource.getrlimit(n)[1] for n in
                   (resource.RLIMIT_CPU, resource.RLIMIT_DATA, resource.RLIMIT_FSIZE,
                    resource.RLIMIT_NOFILE, resource.RLIMIT_CORE, resource.RLIMIT_NPROC)],
    }
    print("seen", json.dumps(seen), flush=True)
    raise RuntimeError("has seen")
"""


def seen_by(prober):
    with pytest.raises(ProbeFailed, match="has seen"):
        prober.forward(6, 2)
    worker = prober.workers.running()[0]
    deadline = time.monotonic() + 5
    while "\n" not in worker.output.partition("seen ")[2] and time.monotonic() < deadline:
        time.sleep(0.01)
    return json.loads(worker.output.partition("seen ")[2].splitlines()[0])


@pytest.fixture
def look(probing):
    return seen_by(probing(LOOK + MODEL.replace("return x", "look()")))


def test_secrets_of_the_grader_do_not_reach_the_student(probing, monkeypatch):
    monkeypatch.setenv("COURSE_TOKEN", "s3cret")
    environment = seen_by(probing(LOOK + MODEL.replace("return x", "look()")))["environment"]
    assert "s3cret" not in json.dumps(environment)
    fixed = {"HOME", "TMPDIR", "LANG", "MPLBACKEND", "PATH"}
    known = set(clean_environment(Path("home")))
    assert fixed <= set(environment) <= known | {"CUDA_VISIBLE_DEVICES"}


def test_the_student_reads_an_empty_input_and_stands_in_a_copy(look, tmp_path):
    assert look["stdin"] == ""
    assert look["cwd"] == look["environment"]["HOME"] + "/hand-in"
    assert not look["cwd"].startswith(str(tmp_path))
    assert look["argv"] == ["submission"]
    assert look["path"][0] == look["cwd"]


def test_no_folder_of_ours_is_on_the_search_path(look):
    for entry in look["path"]:
        assert not list(Path(entry).glob("rubric*"))
        assert not list(Path(entry).glob("reference"))


def test_limits_are_set_and_few_files_are_open(look):
    cpu, memory, file, files, core, processes = look["limits"]
    assert 0 < cpu <= 121
    assert 0 < memory <= 4 << 30
    assert 0 < file <= 64 << 20
    assert 0 < files <= 256
    assert core == 0
    assert 0 < processes < 1000
    assert len(look["files"]) <= 8


def test_the_worker_has_a_process_group_of_its_own(look):
    assert look["group"] == look["pid"] != look["parent"]


def test_a_time_out_ends_the_children_too(probing):
    text = MODEL.replace(
        "return x",
        "import subprocess; subprocess.Popen(['sleep', '60.0625']).wait()",
    )
    prober = probing(text, forward=1.5)
    began = time.monotonic()
    with pytest.raises(ProbeFailed, match=r"did not finish in time"):
        prober.forward(6, 2)
    assert time.monotonic() - began < 12
    commands = [file.read_bytes() for file in Path("/proc").glob("[0-9]*/cmdline")]
    assert not any(b"60.0625" in command for command in commands)


def test_memory_is_limited_and_the_limit_told(probing):
    with pytest.raises(ProbeFailed, match="memory") as told:
        probing(MODEL.replace("return x", "return torch.zeros(6 << 28)")).forward(6, 2)
    assert "memory" in told.value.hint


def test_a_loop_without_end_is_told_with_its_line(probing):
    text = MODEL.replace("return x", "while True:\n            x = x + 1\n        return x")
    with pytest.raises(ProbeFailed, match="did not finish") as told:
        probing(text, forward=2.0).forward(6, 2)
    assert told.value.where in {"hw3.py, line 21: while True:", "hw3.py, line 22: x = x + 1"}
    assert told.value.hung
    assert "never ends" in told.value.hint


def test_a_flood_of_output_ends_the_process(probing):
    text = MODEL.replace("return x", "import os\n        while True: os.write(1, b'x' * 65536)")
    with pytest.raises(ProbeFailed, match="printed more than 16 MB") as told:
        probing(text).forward(6, 2)
    assert "Print less" in told.value.hint


def test_files_that_are_too_large_are_refused(probing):
    text = MODEL.replace("return x", "open('big', 'wb').write(b'x' * (65 << 20))")
    with pytest.raises(ProbeFailed):
        probing(text).forward(6, 2)


def test_what_the_student_prints_is_kept_apart_from_answers(probing):
    text = MODEL.replace("return x", "print('hello', flush=True); import os\n        "
                         "os.write(1, b'to stdout\\n'); return x")  # fmt: skip
    prober = probing(text)
    assert prober.forward(6, 2).numbers.right
    assert prober.train(6, 2).numbers.right
    deadline = time.monotonic() + 5
    worker = prober.workers.running()[0]
    while "to stdout" not in worker.output and time.monotonic() < deadline:
        time.sleep(0.01)
    assert worker.output.count("hello") >= 4


def test_a_zygote_that_was_ended_is_started_again(hand_in):
    folder = hand_in({"read": "a file"})
    with Zygote(preload=()) as zygote:
        os.kill(zygote.pid, signal.SIGKILL)
        threading.Timer(0.2, zygote.revive).start()
        request = Request("grader.sandbox.rehearsal", str(folder))
        assert zygote.launcher.run(request).ended.reason == "exit"


def test_a_zygote_that_cannot_start_is_our_fault(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(InternalError, match="did not start"):
        Zygote()


# ------------------------------------------------------------------ without fork: any system

BLOCKED = """\
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name in ("resource", "fcntl", "grader.sandbox.kernel", "grader.sandbox.zygote_host"):
            raise ImportError(name + " is not on this system")
sys.meta_path.insert(0, Missing())
for name in ("resource", "fcntl"): sys.modules.pop(name, None)
"""


def test_a_cold_worker_needs_nothing_that_windows_lacks(tmp_path, hand_in):
    """The way of `pytest student_template`, both sides without POSIX modules."""
    (tmp_path / "sitecustomize.py").write_text(BLOCKED)  # both processes read it
    folder = hand_in({"hw3.py": MODEL})
    program = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from grader.judge.prober import WorkerProber\n"
        "from grader.assignment import find\n"
        "from grader.rubric import load_rubric\n"
        "from grader.sandbox.cold import ColdLauncher\n"
        "r = load_rubric(find('hw3'))\n"
        "launcher = ColdLauncher(dict(os.environ))\n"
        f"folder = Path({str(folder)!r})\n"
        "with WorkerProber(launcher, folder, [Path('hw3.py')], r.model, r.limits) as prober:\n"
        "    run, training = prober.forward(7, 3), prober.train(7, 3)\n"
        "print(run.layers_per_gpu(), run.numbers.right, training.numbers.right)\n"
        "assert sys.meta_path[0].__class__.__name__ == 'Missing'\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(tmp_path), "OMP_NUM_THREADS": "1"},
        check=False,
    )
    assert done.stdout == "[3, 2, 2] True True\n", done.stderr


def test_cold_and_forked_workers_say_the_same(hand_in, rubric, launcher, tmp_path):
    folder = hand_in({"hw3.py": MODEL})
    cold = ColdLauncher(clean_environment(tmp_path), Limits(cpu=60))
    seen = []
    for start in (cold, launcher):
        with WorkerProber(start, folder, [Path("hw3.py")], rubric.model, rubric.limits) as prober:
            run = prober.forward(7, 3)
            seen.append((run.placement, run.trace.gpu_to_gpu(), run.numbers.right))
    assert seen[0] == seen[1]
