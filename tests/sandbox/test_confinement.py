"""What confines a student's process, feature by feature, and what each limit ends.

Each feature is tried alone where it can be: with the others, it would not be seen to hold.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

import grader
from grader.errors import InternalError
from grader.sandbox.ended import Reason
from grader.sandbox.features import Features, Namespaces, Rung
from grader.sandbox.kernel import processes
from grader.sandbox.limits import Limits
from grader.sandbox.place import readable, remove, without
from grader.sandbox.request import Request
from grader.sandbox.zygote_host import Zygote

ALL = ("namespaces", "landlock", "seccomp", "slot_user", "cgroup")
SMALL = Limits(
    cpu=1,
    wall=3,
    memory=200 << 20,
    file=8 << 20,
    files=64,
    scratch=16 << 20,
    scratch_files=100,
    processes=16,
)
TRY = """\
import contextlib, ctypes, json, os, socket, sys
def tried(call, *arguments):
    try: return [True, repr(call(*arguments))]
    except BaseException as error: return [False, type(error).__name__]
libc = ctypes.CDLL(None, use_errno=True)
"""


@pytest.fixture(scope="module")
def zygotes():
    """Zygotes without torch, by what they leave out: `zygotes("namespaces", ...)`."""
    started: dict[tuple[str, ...], Zygote] = {}

    def get(*left_out: str) -> Zygote:
        if left_out not in started:
            started[left_out] = Zygote(preload=(), without=left_out)
        return started[left_out]

    yield get
    for zygote in started.values():
        zygote.close()


@pytest.fixture
def run(zygotes, hand_in):
    """Run a script in a sandbox: `run(text, only="seccomp")`, or all features."""

    def go(text, *, only=None, leave_out=(), limits=SMALL, output_limit=1 << 20):
        left_out = [f for f in ALL if f != only] if only else list(leave_out)
        zygote = zygotes(*left_out)
        for name in filter(None, [only]):
            if name in zygote.features.missing:
                pytest.skip(f"{name} is not to be had here: {zygote.features.missing[name]}")
        folder = hand_in({"main.py": TRY + text, "data.txt": "the data"})
        request = Request(
            "grader.sandbox.script", str(folder), ["main.py"], {"PATH": "/usr/bin:/bin"}, limits
        )
        return zygote.launcher.run(request, output_limit=output_limit)

    return go


@pytest.fixture
def answers(run):
    """As `run`, for a script that prints JSON."""

    def go(text, **options):
        done = run(text, **options)
        assert done.ended.reason == "exit", (done.ended, done.output.decode())
        return json.loads(done.output)

    return go


# ------------------------------------------------------------------ namespaces


def test_in_namespaces_there_is_nobody_else(answers):
    seen = answers(
        "print(json.dumps([os.getpid(), os.getppid(), sorted(map(int, filter(str.isdigit, "
        "os.listdir('/proc'))))]))",
        only="namespaces",
    )
    assert seen == [2, 1, [1, 2]]


def test_in_namespaces_there_is_no_other_folder(answers, tmp_path):
    (tmp_path / "secret").write_text("of another hand-in")
    seen = answers(
        f"print(json.dumps([os.path.exists({str(tmp_path)!r}), sorted(os.listdir('/tmp')),"
        "os.path.exists('/etc/shadow'), tried(open, '/usr/written', 'w'),"
        "tried(os.listdir, '/home')]))",
        only="namespaces",
    )
    there = {"hand-in"} | {Path(p).parts[2] for p in readable() if Path(p).is_relative_to("/tmp")}
    refused = [[False, "OSError"], [False, "FileNotFoundError"]]
    assert seen == [False, sorted(there), False, *refused]


def test_in_namespaces_there_is_a_loopback_and_no_other_network(answers):
    seen = answers(
        """
with socket.create_server(("127.0.0.1", 0)) as server:
    here = tried(socket.create_connection, server.getsockname())
print(json.dumps([here[0], [name for _, name in socket.if_nameindex()],
    tried(socket.create_connection, ("192.0.2.1", 80), 1)]))
""",
        only="namespaces",
    )
    assert seen == [True, ["lo"], [False, "OSError"]]


def test_in_namespaces_the_hand_in_is_a_copy_that_may_be_changed(answers, tmp_path):
    seen = answers(
        "print(json.dumps([os.getcwd(), open('data.txt').read(),"
        "tried(os.rename, 'data.txt', 'other')]))",
        only="namespaces",
    )
    assert seen == ["/tmp/hand-in", "the data", [True, "None"]]
    assert (tmp_path / "hand-in" / "data.txt").read_text() == "the data"


def test_scratch_and_shared_memory_are_full_at_their_limit(answers):
    seen = answers(
        """
def fill(folder):
    for number in range(99):
        with open(f"{folder}/{number}", "wb") as file: file.write(bytes(1 << 20))
print(json.dumps([tried(fill, folder) for folder in ("/tmp", "/dev/shm")]))
""",
        only="namespaces",
    )
    assert seen == [[False, "OSError"], [False, "OSError"]]


def test_privileges_are_given_up(answers, zygotes):
    lines = answers(
        "print(json.dumps([line.split() for line in open('/proc/self/status') "
        "if line.startswith(('Cap', 'NoNewPrivs'))]))"
    )
    seen = {name: int(value, 16) for name, value in lines}
    assert seen["NoNewPrivs:"] == 1
    assert not any(seen[name] for name in ("CapInh:", "CapPrm:", "CapEff:", "CapAmb:"))
    if zygotes().features.namespaces is not Namespaces.NONE or os.geteuid() == 0:
        assert not seen["CapBnd:"]  # nobody else may lower it, nor, without new privileges, use it


def test_each_process_has_a_user_of_its_own(answers, zygotes):
    if not zygotes().features.slot_user:
        pytest.skip(f"no slot user: {zygotes().features.missing['slot_user']}")
    first, second = (answers("print(os.getuid())") for _ in range(2))
    assert first != second
    assert min(first, second) >= 1 << 28


# ------------------------------------------------------------------ Landlock


def test_landlock_closes_files_outside(answers, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("of another hand-in")
    seen = answers(
        f"""
os.symlink({str(secret)!r}, "link")
print(json.dumps([open("data.txt").read(), tried(open, {str(secret)!r}), tried(open, "link"),
    tried(os.listdir, {str(tmp_path)!r}), tried(os.listdir, "/"),
    tried(open, "/etc/passwd"), tried(os.remove, {str(secret)!r}),
    tried(os.rename, "data.txt", {str(tmp_path / "moved")!r}),
    tried(open, os.environ["HOME"] + "/new", "w")[0]]))
""",
        only="landlock",
    )
    refused = [False, "PermissionError"]
    *_, moved, written = seen
    assert seen[:-2] == ["the data", *[refused] * 6]
    assert moved[0] is False
    assert written is True
    assert secret.exists()


@pytest.mark.parametrize("call", ["os.kill({pid}, 0)", "os.kill({pid}, 9)", "os.killpg({pid}, 9)"])
@pytest.mark.parametrize("only", ["landlock", "seccomp"])
def test_signals_stay_inside(run, zygotes, call, only):
    version = zygotes(*[f for f in ALL if f != "landlock"]).features.landlock
    if only == "landlock" and version < 6:
        pytest.skip(f"Landlock bounds signals from ABI 6 on; here it is {version}")
    victim = os.fork()
    if victim == 0:
        os.setpgid(0, 0)
        time.sleep(60)
        os._exit(0)
    try:
        done = run(f"print(tried(lambda: {call.format(pid=victim)}))", only=only)
        assert b"PermissionError" in done.output
        assert os.waitpid(victim, os.WNOHANG) == (0, 0)
    finally:
        os.kill(victim, 9)
        os.waitpid(victim, 0)


def test_tcp_is_closed_without_a_network_of_its_own(answers, zygotes):
    version = zygotes(*[f for f in ALL if f != "landlock"]).features.landlock
    if version < 4:
        pytest.skip(f"Landlock knows TCP from ABI 4 on; here it is {version}")
    with socket.create_server(("127.0.0.1", 0)) as server:
        seen = answers(
            f"print(json.dumps([tried(socket.create_connection, {server.getsockname()!r}),"
            "tried(socket.create_server, ('127.0.0.1', 0))]))",
            only="landlock",
        )
    assert seen == [[False, "PermissionError"]] * 2


def test_folders_around_a_secret_one_are_opened_entry_by_entry(tmp_path):
    for name in ("a/b/secret", "a/b/other", "a/c", "d"):
        (tmp_path / name).mkdir(parents=True)
    a, d = str(tmp_path / "a"), str(tmp_path / "d")
    assert without([a, d], [f"{a}/b/secret"]) == ([f"{a}/b/other", f"{a}/c", d], [a, f"{a}/b"])
    assert without([a, d], [str(tmp_path / "nowhere")]) == ([a, d], [])


# ------------------------------------------------------------------ seccomp


def test_seccomp_refuses_what_reaches_others(answers):
    seen = answers(
        """
def call(number, *arguments):
    if libc.syscall(number, *arguments) < 0:
        raise OSError(ctypes.get_errno(), "refused")
calls = {"ptrace": 101, "process_vm_readv": 310, "bpf": 321, "keyctl": 250, "mount": 165,
    "unshare": 272, "setns": 308, "perf_event_open": 298, "userfaultfd": 323, "pidfd_open": 434,
    "io_uring_setup": 425, "memfd_create": 319, "shmget": 29, "msgget": 68, "mq_open": 240,
    "personality": 135, "syslog": 103, "kexec_load": 246}
def code(number):
    try: call(number, 0, 0, 0, 0, 0)
    except OSError as error: return error.errno
print(json.dumps({name: code(number) for name, number in calls.items()}))
""",
        only="seccomp",
    )
    absent = {"io_uring_setup", "memfd_create", "shmget", "msgget", "mq_open"}
    assert seen == {name: 38 if name in absent else 1 for name in seen}


def test_seccomp_allows_no_sockets_without_a_network_of_its_own(answers):
    seen = answers(
        "print(json.dumps([tried(socket.socket, family) for family in "
        "(socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK, socket.AF_PACKET,"
        " 40, 38, 44)] + [tried(socket.socketpair)[0]]))",
        only="seccomp",
    )
    assert seen == [[False, "PermissionError"]] * 8 + [True]


def test_seccomp_allows_sockets_of_the_sandbox_only(answers, zygotes):
    if zygotes().features.rung is not Rung.NAMESPACES:
        pytest.skip("there are no namespaces here")
    seen = answers(
        "print(json.dumps([tried(socket.socket, family, socket.SOCK_RAW if family in (16, 17) "
        "else socket.SOCK_SEQPACKET if family == 38 else socket.SOCK_DGRAM)[0] for family in "
        "(socket.AF_UNIX, socket.AF_INET, socket.AF_NETLINK, socket.AF_PACKET, 40, 38, 44)]))"
    )
    assert seen == [True, True, True, False, False, False, False]


def test_new_namespaces_are_refused_and_threads_are_not(answers):
    seen = (
        answers(
            """
import threading
thread = threading.Thread(target=int)
def child():
    if os.fork() == 0: os._exit(0)
new = libc.syscall(56, 0x10000000 | 17, 0, 0, 0, 0)
if new == 0: os._exit(0)
print(json.dumps([new, tried(thread.start)[0], tried(child)[0]]))
"""
        )
        if os.uname().machine == "x86_64"
        else [-1, True, True]
    )
    assert seen == [-1, True, True]


# ------------------------------------------------------------------ limits


def endings():
    yield "cpu", "while True: pass", {Reason.CPU}
    yield "wall", "import time; time.sleep(60)", {Reason.WALL}
    yield "memory", "x = bytearray(300 << 20); print('had', 'it')", {Reason.EXIT, Reason.MEMORY}
    shared = "import mmap, time; m = mmap.mmap(-1, 300 << 20)\n"
    shared += "for at in range(0, 300 << 20, 4096): m[at] = 1\ntime.sleep(9)"
    yield "shared memory", shared, {Reason.MEMORY}
    yield "one file", "open('f', 'wb').write(bytes(9 << 20)); print('had', 'it')", {Reason.EXIT}
    forks = "import time\nfor _ in range(99):\n    if not os.fork(): time.sleep(9)\n"
    yield "processes", forks, {Reason.EXIT, Reason.PROCESSES}
    yield "output", "while True: os.write(1, bytes(65536))", {Reason.OUTPUT}


@pytest.mark.parametrize("rung", ["all", "no namespaces", "limits only"])
@pytest.mark.parametrize(
    ("text", "reasons"), [pytest.param(*rest, id=name) for name, *rest in endings()]
)
def test_limits_end_what_takes_too_much(run, text, reasons, rung):
    leave_out = {"all": (), "no namespaces": ALL[:1], "limits only": ALL}[rung]
    began = time.monotonic()
    wall = 20 if reasons == {Reason.CPU} else SMALL.wall  # other programs compute, too
    done = run(text, leave_out=leave_out, limits=replace(SMALL, wall=wall))
    assert done.ended.reason in reasons, done.output
    assert b"had it" not in done.output
    assert time.monotonic() - began < wall + 5


@pytest.mark.parametrize("deleted", [False, True])
def test_disk_is_bounded_without_a_private_root(run, deleted):
    done = run(
        f"""
import time
kept = []
for number in range(99):
    file = open(f"f{{number}}", "wb"); file.write(os.urandom(1 << 20)); file.flush()
    kept.append(file)
    if {deleted}: os.remove(file.name)
    time.sleep(0.02)
""",
        leave_out=["namespaces"],
    )
    assert done.ended.reason == Reason.DISK


def test_time_is_bounded_anew_for_each_question(zygotes, hand_in):
    folder = hand_in({"main.py": "import time\nwhile True: time.sleep(0.01)"})
    request = Request("grader.sandbox.script", str(folder), ["main.py"], {}, SMALL)
    sandbox = zygotes().launcher._start(request, *(os.open(os.devnull, os.O_RDWR) for _ in "abc"))
    for _ in range(3):
        time.sleep(1.5)
        sandbox.allow(1, wall=3)
    assert sandbox.wait(0.1) is None  # 4.5 s of a wall time of 3
    sandbox.kill()
    assert sandbox.wait(5).reason == Reason.CANCELLED


@pytest.mark.parametrize(("text", "reason"), [("time.sleep(60)", "wall"), ("pass", "cpu")])
def test_a_question_ends_what_sleeps_as_soon_as_what_computes(zygotes, hand_in, text, reason):
    folder = hand_in({"main.py": f"import time\nwhile True: {text}"})
    request = Request("grader.sandbox.script", str(folder), ["main.py"], {}, Limits())
    sandbox = zygotes().launcher._start(request, *(os.open(os.devnull, os.O_RDWR) for _ in "abc"))
    began = time.monotonic()
    sandbox.allow(1, wall=30, idle=2)
    assert sandbox.wait(35).reason == reason
    if reason == "wall":
        assert 1.9 < time.monotonic() - began < 20


def test_who_waits_for_a_processor_is_not_idle(tmp_path):
    """Two busy processes on one processor: each starves half of the time."""
    burn = "import os, time\nos.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
    burn += "end = time.monotonic() + 1.5\nwhile time.monotonic() < end: pass\n"
    burn += "print(open('/proc/self/schedstat').read())"
    pair = [
        subprocess.Popen([sys.executable, "-c", burn], stdout=subprocess.PIPE) for _ in range(2)
    ]
    time.sleep(1.2)
    starved = [processes.starved_seconds([process.pid]) for process in pair]
    for process in pair:
        process.communicate()
    assert sum(starved) > 0.5


# ------------------------------------------------------------------ the end


@pytest.mark.parametrize("leave_out", [(), ("namespaces",), ALL], ids=["all", "landlock", "none"])
def test_nothing_is_left_alive_or_on_disk(run, zygotes, leave_out):
    daemon = """
import subprocess, time
subprocess.Popen(["/bin/sleep", "61.0625"], start_new_session=True)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(61.0625)
    os._exit(0)
os.mkdir("closed"); open("closed/file", "w"); os.chmod("closed", 0)
print("done")
"""
    done = run(daemon, leave_out=leave_out)
    assert (done.ended.reason, done.output) == (Reason.EXIT, b"done\n")
    commands = [file.read_bytes() for file in Path("/proc").glob("[0-9]*/cmdline")]
    assert not any(b"61.0625" in line for line in commands)
    zygote = zygotes(*leave_out)
    until = time.monotonic() + 5
    while not all(map(ended, children(zygote))) and time.monotonic() < until:
        time.sleep(0.02)
    assert all(map(ended, children(zygote)))
    assert [p.name for p in Path(zygote.launcher.address).parent.iterdir()] == ["socket"]


def test_a_grader_that_dies_takes_its_sandboxes_along(zygotes, hand_in):
    folder = hand_in({"main.py": "import time; time.sleep(62.0625)"})
    request = Request("grader.sandbox.script", str(folder), ["main.py"], {}, Limits())
    sandbox = zygotes().launcher._start(request, *(os.open(os.devnull, os.O_RDWR) for _ in "abc"))
    running = [pid for pid in children(zygotes()) if not ended(pid)]
    assert running
    sandbox.control.close()
    until = time.monotonic() + 5
    while time.monotonic() < until and not all(map(ended, running)):
        time.sleep(0.02)
    assert all(map(ended, running))


def children(zygote):
    return Path(f"/proc/{zygote.pid}/task/{zygote.pid}/children").read_text().split()


def ended(pid):
    try:
        return "Z" in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True


def test_what_cannot_be_made_is_our_fault(zygotes):
    request = Request("grader.sandbox.script", "/nowhere", ["main.py"])
    with pytest.raises(InternalError, match=r"could not be made.*/nowhere"):
        zygotes().launcher.run(request)


def test_many_at_once(zygotes, hand_in):
    folder = hand_in({"main.py": "print('ok')"})
    request = Request("grader.sandbox.script", str(folder), ["main.py"], {}, Limits())
    seen = []
    threads = [
        threading.Thread(target=lambda: seen.append(zygotes().launcher.run(request).output))
        for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [b"ok\n"] * 12


def test_a_scratch_folder_is_removed_whatever_is_in_it(tmp_path):
    home = tmp_path / "home"
    (home / "a" / "b").mkdir(parents=True)
    (home / "a" / "b" / "file").write_text("x")
    (tmp_path / "kept").write_text("outside")
    (home / "link").symlink_to(tmp_path)
    (home / "a" / "b").chmod(0)
    (home / "a").chmod(0)
    remove(str(home))
    assert not home.exists()
    assert (tmp_path / "kept").exists()


# ------------------------------------------------------------------ features


def test_features_say_what_they_amount_to():
    assert Features().rung is Rung.LIMITS
    assert Features(landlock=7, seccomp=True).rung is Rung.LANDLOCK
    assert Features(landlock=7).rung is Rung.LIMITS
    full = Features(Namespaces.USER, own_processes=True, landlock=7, seccomp=True)
    assert full.rung is Rung.NAMESPACES
    less = full.without("namespaces", "on request")
    assert (less.rung, less.own_processes) == (Rung.LANDLOCK, False)
    assert less.missing == {"namespaces": "on request"}
    assert Features.from_json(json.loads(json.dumps(less.to_json()))) == less


PROGRAM = """\
import sys
from grader.sandbox.request import Request
from grader.sandbox.zygote_host import Zygote
with Zygote(preload=(), without=sys.argv[2:]) as zygote:
    run = zygote.launcher.run(Request("grader.sandbox.script", sys.argv[1], ["main.py"]))
    print(zygote.features.rung, run.output.decode().strip())
"""


@pytest.mark.parametrize("leave_out", [(), ("namespaces",)])
def test_solutions_in_an_installed_package_are_hidden(tmp_path, hand_in, zygotes, leave_out):
    package = tmp_path / "lib" / "grader"
    # An installed package has its assignments inside, a checkout has them beside.
    ignored = shutil.ignore_patterns("__pycache__", "assignments")
    shutil.copytree(Path(grader.__file__).parent, package, ignore=ignored)
    solution = package / "assignments" / "reference" / "hw3" / "hw3.py"
    solution.parent.mkdir(parents=True)
    solution.write_text("the solution")
    reading = f"print(tried(lambda: open({str(solution)!r}).read())[0], 'read')\n"
    importing = "import grader.records; print('and', grader.records.SCHEMA)"
    folder = hand_in({"main.py": TRY + reading + importing})
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder), *leave_out],
        env={"PYTHONPATH": str(package.parent)},
        capture_output=True,
        text=True,
        check=True,
    )
    rung = zygotes(*leave_out).features.rung
    assert done.stdout == f"{rung} False read\nand 1\n"
