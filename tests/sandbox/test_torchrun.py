"""Programs in several processes, as they are: what each rank did, and what became of it."""

from __future__ import annotations

import contextlib
import re
import textwrap
import time

import attrs
import pytest

from grader.checking.expect import NeedsPerson
from grader.checking.observations import ProbeFailed
from grader.checking.wanted import RanksWanted
from grader.judge.prober import WorkerProber
from grader.judge.programs import STEPS
from grader.program import Kind
from grader.rubric import Limits, Script
from grader.sandbox.zygote_host import Zygote

START = """\
import os, sys, time
import torch, torch.distributed as dist
from torch import nn
dist.init_process_group("nccl")
rank, world = dist.get_rank(), dist.get_world_size()
here = torch.device(f"cuda:{rank}")
torch.cuda.set_device(here)
"""
FIRST = len(START.splitlines()) + 1  # the number of the line behind it
TRAIN = """\
torch.manual_seed(0)
model = wrapped(nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 1)).to(here))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
torch.manual_seed(1 + rank)
for _ in range(2):
    optimizer.zero_grad()
    parts = torch.randn(16, 8, device=here).chunk(4)
    for n, part in enumerate(parts):
        with synchronising(n):
            model(part).pow(2).mean().backward()
    finish()
    optimizer.step()
"""
WORDS = {"micro": ["MICRO_BATCHES"], "batch": ["BATCH_SIZE"]}


@pytest.fixture
def ran(launcher, hand_in):
    """Run a script in so many ranks: `ran("dist.barrier()")`, after the usual beginning."""
    with contextlib.ExitStack() as probers:

        def run(text, processes=2, gpus=4, *, start=START, by=launcher, seconds=15.0, **more):
            folder = hand_in({"s.py": start + textwrap.dedent(text)})
            scripts = [Script("s", ["s"], words=WORDS)]
            limits = attrs.evolve(Limits(), ranks=seconds)
            files = [file.relative_to(folder) for file in folder.rglob("*.py")]
            prober = WorkerProber(by, folder, files, None, limits, scripts)
            probers.enter_context(prober)
            return prober.torchrun(RanksWanted("s", processes, gpus, **more))

        yield run


def line(number, code=""):
    return f"s.py, line {FIRST - 1 + number}" + (f": {code}" if code else "")


# ------------------------------------------------------------------ what ranks do


def test_each_rank_is_as_torchrun_makes_it(ran):
    names = "RANK LOCAL_RANK WORLD_SIZE LOCAL_WORLD_SIZE GROUP_RANK MASTER_ADDR".split()
    seen = ran(
        f"print(*(os.environ[name] for name in {names}), dist.is_torchelastic_launched())", 3
    )
    assert seen.diagnosis() is None
    assert [process.rank for process in seen.processes] == [0, 1, 2]
    assert [process.printed for process in seen.processes] == [
        f"{rank} {rank} 3 3 0 127.0.0.1 True" for rank in range(3)
    ]


def test_collectives_with_their_size_and_line_and_group(ran):
    seen = ran(
        """\
        dist.all_reduce(torch.ones(5, device=here))
        pairs = [dist.new_group([0, 2]), dist.new_group([1])]
        if rank % 2 == 0:
            dist.all_reduce(torch.ones(3, device=here), group=pairs[0])
        """,
        3,
    )
    assert seen.diagnosis() is None
    first, second, third = (
        [(e.text, e.bytes, e.group) for e in own if e.text == "allreduce"]
        for own in seen.collectives()
    )
    assert first == third == [("allreduce", 20, None), ("allreduce", 12, (0, 2))]
    assert second == [("allreduce", 20, None)]
    assert seen.collectives()[0][0].line == f"s.py:{FIRST}"


def test_collectives_of_the_host_by_gloo_are_seen_too(ran):
    start = START.replace('"nccl"', '"gloo"')
    seen = ran("dist.all_reduce(torch.ones(5)); dist.barrier()", start=start)
    assert [[(e.text, e.bytes) for e in own] for own in seen.collectives()] == [
        [("allreduce", 20), ("barrier", 0)]
    ] * 2


def test_ranks_draw_other_numbers_unless_they_are_to_draw_the_same(ran):
    text = """\
        import random, numpy
        print(torch.rand(1).item(), random.random(), numpy.random.rand())
        torch.manual_seed(rank); random.seed(rank); numpy.random.seed(rank)
        print(torch.rand(1).item(), random.random(), numpy.random.default_rng(rank).random())
        """
    first, second = (process.printed.split() for process in ran(text).processes)
    assert not set(first) & set(second)
    first, second = (process.printed.split() for process in ran(text, same=True).processes)
    assert first == second


def test_a_rank_may_start_processes(ran):
    """Workers of a DataLoader: what they do is not the rank's, and they may outlive it."""
    seen = ran(
        """\
        from torch.utils.data import DataLoader
        class Rows(torch.utils.data.Dataset):
            def __len__(self): return 8
            def __getitem__(self, n): print("in a worker"); return float(n)
        print(sum(batch.sum().item() for batch in DataLoader(Rows(), 4, num_workers=2)))
        if os.fork() == 0:
            time.sleep(60)
            os._exit(0)
        dist.barrier()
        """
    )
    assert seen.diagnosis() is None
    printed = [process.printed.splitlines() for process in seen.processes]
    assert [lines.count("28.0") for lines in printed] == [1, 1]  # warnings are beside it


def test_prints_do_not_squeeze_out_all_else(ran):
    seen = ran("for _ in range(9000): print('x')\ndist.barrier()")
    [process, _] = seen.processes
    assert process.of(Kind.COLLECTIVE)
    assert len(process.of(Kind.PRINT)) < 9000


def test_naps_are_short(ran):
    began = time.monotonic()
    assert ran("time.sleep(100)\nprint(2)").processes[1].printed == "2"
    assert time.monotonic() - began < 20


# ------------------------------------------------------------------ training


@pytest.mark.parametrize(
    ("wrapped", "synchronising", "finish", "syncs"),
    [
        ("model", "nullcontext()", "reduced()", 1),
        ("DDP(model)", "nullcontext()", "None", 4),
        ("DDP(model)", "model.no_sync() if n < 3 else nullcontext()", "None", 1),
        (
            "DDP(model, bucket_cap_mb=0.0001)",
            "model.no_sync() if n < 3 else nullcontext()",
            "None",
            1,
        ),
    ],
)
def test_when_gradients_are_synchronised(ran, wrapped, synchronising, finish, syncs):
    """By hand, and by DistributedDataParallel, in each backward pass but for those of no_sync."""
    ways = f"""\
from contextlib import nullcontext
from torch.nn.parallel import DistributedDataParallel as DDP
def wrapped(model): return {wrapped}
def synchronising(n): return {synchronising}
def finish(): return {finish}
def reduced():
    for p in model.parameters():
        dist.all_reduce(p.grad, dist.ReduceOp.AVG)
"""
    seen = ran(ways + TRAIN)
    assert seen.diagnosis() is None
    for rounds in seen.iterations():
        assert [(one.forwards, one.backwards) for one in rounds] == [(4, 4)] * 2
        assert [len(one.syncs()) for one in rounds] == [syncs] * 2
        assert all(one.is_last(one.syncs()[-1]) for one in rounds)
        assert [one.is_last(one.syncs()[0]) for one in rounds] == [syncs == 1] * 2
    first, second = ([e.text for e in p.of(Kind.STEP)] for p in seen.processes)
    assert first == second
    assert len(set(first)) == 2


# ------------------------------------------------------------------ what goes wrong

HANG = 9.0  # seconds, with a start on a busy machine


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "if rank == 0: dist.barrier()\nwhile rank == 1: time.sleep(1)",
            "the ranks do not make the same calls: rank 0 calls barrier at {1}, rank 1 none; "
            "rank 0 was still at {1: if rank == 0: dist.barrier()}; "
            "rank 1 was still at {2: while rank == 1: time.sleep(1)}",
        ),
        (
            "x = torch.ones(2, device=here)\nif rank: dist.broadcast(x, 0)\n"
            "else: dist.all_reduce(x)",
            "rank 0 calls all_reduce at {3}, rank 1 calls broadcast at {2}; "
            "rank 0 was still at {3: else: dist.all_reduce(x)}; "
            "rank 1 was still at {2: if rank: dist.broadcast(x, 0)}",
        ),
        (
            "dist.recv(torch.ones(1, device=here), 1 - rank)",
            "rank 0 was still at {1: dist.recv(torch.ones(1, device=here), 1 - rank)}",
        ),
        (
            "import signal\nif rank == 1: os.kill(os.getpid(), signal.SIGSTOP)\ndist.barrier()",
            "rank 1 was still at no line of the hand-in",
        ),
    ],
)
def test_ranks_that_hang(ran, text, says):
    began = time.monotonic()
    seen = ran(text)
    assert seen.hung
    assert filled(says) in seen.diagnosis()
    assert time.monotonic() - began < HANG


def filled(says):
    """The places {n} and {n: code} of a message, as lines behind the usual beginning."""
    parts = says.replace("}", "{").split("{")
    for n in range(1, len(parts), 2):
        number, _, code = parts[n].partition(": ")
        parts[n] = line(int(number), code)
    return "".join(parts)


def test_a_rank_that_never_joins(ran):
    start = START.replace("dist.init", "if os.environ['RANK'] == '0': dist.init")
    seen = ran("", start=start.replace("rank, world", "if True: rank, world"))
    assert "rank 1" in seen.diagnosis()
    assert "Default process group has not been initialized" in seen.diagnosis()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "if rank == 1: raise ValueError('no')\ndist.barrier()",
            "rank 1: ValueError: no ({1: if rank == 1: raise ValueError('no')})",
        ),
        ("print()\nif rank == 1: os._exit(3)\ndist.barrier()",
         "rank 1 ended early, with exit code 3, after {1}"),
        ("if rank == 1: os.kill(os.getpid(), 9)\ndist.barrier()", "rank 1 was killed by SIGKILL"),
        ("if rank == 1: import ctypes; ctypes.string_at(0)\ndist.barrier()",
         "rank 1 was killed by SIGSEGV"),
        (
            "if rank == 0: dist.barrier()",
            "the ranks do not make the same calls: rank 0 calls barrier at {1}, rank 1 none",
        ),
        ("if rank == 1: sys.exit('no')\ndist.barrier()", None),
    ],
)  # fmt: skip
def test_ranks_that_leave_the_others_alone(ran, text, says):
    began = time.monotonic()
    seen = ran(text)
    assert not seen.hung
    assert seen.diagnosis() == filled(says) if says else seen.diagnosis()
    assert time.monotonic() - began < HANG


def test_a_rank_that_reduces_another_shape(ran):
    told = ran("dist.all_reduce(torch.ones(4 + rank, device=here))").diagnosis()
    assert filled("rank 0 calls all_reduce of 16 bytes at {1}") in told
    assert filled("rank 1 calls all_reduce of 20 bytes at {1}") in told


def test_an_error_of_a_collective_is_not_lost(ran):
    """Whose partner is gone is told so by wait(), as with NCCL."""
    seen = ran(
        "if rank == 0:\n    dist.all_reduce(torch.ones(1, device=here))\n    print('summed')"
    )
    assert "closed by peer" in seen.processes[0].problem or "reset" in seen.processes[0].problem
    assert not seen.processes[0].printed


def test_ranks_that_compute_without_end(ran):
    seen = ran("if rank == 1:\n    while True: pass\ndist.barrier()", seconds=4.0)
    assert seen.hung
    assert filled("rank 0 was still at {3: dist.barrier()}") in seen.diagnosis()
    assert filled("rank 1 was still at {2: while True: pass}") in seen.diagnosis()


def test_ranks_that_compute_for_long_are_for_a_person(ran):
    """Their sizes are their author's."""
    with pytest.raises(NeedsPerson, match="4 s of computing"):
        ran("x = torch.ones(500, 500, device=here)\nwhile True: x = x @ x", seconds=4.0)


def test_ranks_that_train_for_long_are_ended_after_some_steps(ran):
    endless = TRAIN.replace("range(2)", "range(10**9)").replace("synchronising(n)", "nothing()")
    ways = "def wrapped(model): return model\ndef finish(): dist.barrier()\n"
    seen = ran(f"from contextlib import nullcontext as nothing\n{ways}{endless}")
    assert seen.diagnosis() is None
    assert [len(rounds) for rounds in seen.iterations()] == [STEPS, STEPS]


def test_a_file_that_python_cannot_read(ran):
    assert "SyntaxError" in ran("def", start="").diagnosis()


# ------------------------------------------------------------------ what they do not answer for


def test_processes_that_the_script_starts_itself_are_for_a_person(ran):
    spawned = "import torch.multiprocessing as mp\nmp.spawn(print, nprocs=2)\n"
    with pytest.raises(NeedsPerson, match="starts its processes itself"):
        ran(spawned, start="")


def test_a_constant_that_is_missing_is_for_a_person(ran):
    with pytest.raises(NeedsPerson, match="no constant for micro"):
        ran("", sizes={"micro": 2})


def test_without_a_network_a_person_looks(ran):
    """As on a machine where nothing but Landlock confines."""
    with Zygote(without=["namespaces"]) as zygote:
        if zygote.features.has_network:
            pytest.skip("there is a network without namespaces here")
        with pytest.raises(NeedsPerson, match="cannot talk to one another in this sandbox"):
            ran("", by=zygote.launcher)


# ------------------------------------------------------------------ hostile ranks


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("os.write(3, b'{}\\n'); dist.barrier()", "reserved for results"),
        ("os.write(3, b'{\"program\": {}}\\n'); dist.barrier()", "reserved for results"),
        ("os.write(3, b'[' * 100000 + b'\\n'); dist.barrier()", "reserved for results"),
        ("while True: os.write(3, b'x' * 1000000)", "reserved for results"),
        ("while True: os.write(3, b'{\"event\": [\"print\",\"\",null,null,0,0,0,null,0,null]}\\n')",
         "reserved for results"),
        ("os.closerange(3, 1000)\nprint(1)", "(ended early|killed)"),  # or torch's threads abort it
        ("os.execv('/bin/sleep', ['sleep', '0.1'])", "ended early, with exit code 0"),
    ],
)  # fmt: skip
def test_what_ranks_say_is_not_trusted(ran, text, says):
    began = time.monotonic()
    assert re.search(says, ran(text).diagnosis())
    assert time.monotonic() - began < 2 * HANG


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("os.kill(os.getppid(), 9)", "killed by signal 9"),
        ("while True: os.write(2, b'x' * 100000)", "printed more than 16 MB"),
        ("import signal; os.kill(os.getppid(), signal.SIGSTOP)", "did not finish in time"),
    ],
)
def test_a_rank_that_attacks_loses_its_run_only(ran, text, says):
    with pytest.raises((ProbeFailed, NeedsPerson), match=says):
        ran(text, seconds=4.0)
    assert ran("print(1)").processes[0].printed == "1"


def test_processes_without_end(ran):
    """The kernel refuses more, or the supervisor ends it all."""
    try:
        told = ran("while True: os.fork()", seconds=4.0).diagnosis()
    except ProbeFailed as failed:
        told = str(failed)
    assert "unavailable" in told or "processes" in told


def test_a_rank_that_kills_the_other(ran):
    text = """\
        if rank == 1:
            for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
                if pid not in (1, os.getpid(), os.getppid()):
                    try: os.kill(pid, 9)
                    except OSError: pass
        dist.barrier()
        """
    assert ran(text).diagnosis().startswith("rank 0 was killed by SIGKILL")


def test_a_rank_has_nothing_open_but_its_own_pipe(ran):
    seen = ran("print(*sorted(map(int, os.listdir('/proc/self/fd'))))", start="import os\n")
    for process in seen.processes:
        assert set(map(int, process.printed.split())) <= {0, 1, 2, 3, 4, 5}
