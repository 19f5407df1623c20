"""A worker process that says anything at all: every answer is one clear `ProbeFailed`."""

from __future__ import annotations

import time
from pathlib import Path

import attrs
import pytest
from stand_ins import FakeLauncher

from grader.checking.observations import ProbeFailed
from grader.errors import InternalError
from grader.judge.prober import WorkerProber

HONEST_BUILD = """\
def built(parameters=None, modules=[["0", "Linear"], ["1", "ReLU"]], **more):
    given = request()
    if parameters is None:
        parameters = [["0.weight", [given["width"]] * 2], ["0.bias", [given["width"]]]]
    answer = {"notes": [], "sites": ["M in a.py"], "asked": [], "gpu_argument": None}
    places = dict.fromkeys(("placed", "forward", "cuts", "coarse", "lists"), [])
    answer |= {"placement": [], "places": places}
    answer |= {"parameters": parameters, "modules": modules}
    send({"status": "seen", "id": given["id"]}, facts(answer | more))
TRACE = {"devices": 2, "ops": [], "transfers": [], "to_calls": {}, "peak_memory": [0, 0],
         "losses": [], "truncated": False, "unlisted": []}
def seen(*buffers, trace=TRACE, **more):
    given = request()
    answer = {"trace": trace, "shape": [6, 24], "dtype": "float32"} | more
    send({"status": "seen", "id": given["id"]}, facts(answer), *buffers)
send({"status": "ready"})
"""

UNREADABLE = "the process answered with something unreadable"
GARBLED = "it wrote to the pipe that is reserved for results"
FLOATS = "struct.pack('<144f', *[0.0] * 144)"

CASES = {
    "garbage instead of a frame": ("raw(b'all tests passed!' * 9)", GARBLED),
    "a frame in advance": (
        "send({'status': 'seen', 'id': 'guessed'}, facts({})); built()", GARBLED),
    "frames without end": (
        "\ntry:\n    while True: send({'status': 'seen'}, b'x' * (1 << 20))"
        "\nexcept BrokenPipeError: pass", GARBLED),
    "another id": ("request(); send({'status': 'seen', 'id': 'other'})", GARBLED),
    "no id": ("request(); send({'status': 'seen'})", GARBLED),
    "a header of 4 GB": ("request(); raw(b'\\xff\\xff\\xff\\xff'); time.sleep(60)", GARBLED),
    "a payload of many GB": (
        "request(); send({'id': 1}, sizes=[1 << 40]); time.sleep(60)", GARBLED),
    "negative sizes": ("request(); send({'id': 1}, sizes=[-5, 10])", GARBLED),
    "sizes that are no list": ("request(); send({'id': 1}, sizes={'a': 1})", GARBLED),
    "a header that is deep": (
        "request(); t = b'[' * 60000; raw(struct.pack('<I', len(t)) + t)", GARBLED),
    "a header that is a list": ("request(); t = b'[1]'; raw(struct.pack('<I', 3) + t)", GARBLED),
    "half a frame": ("request(); raw(struct.pack('<I', 500) + b'{'); os._exit(3)", GARBLED),
    "an early end": ("request(); os._exit(3)", "ended in the middle .exit code 3"),
    "a closed pipe": (
        "request(); sys.stdout.close(); os.close(1); time.sleep(60)", "ended in the middle"),
    "silence": ("request(); time.sleep(60)", "did not finish within 2 s"),
    "a flood of output": (
        "\nrequest()\nwhile True: os.write(2, b'x' * 65536)", "printed more than 16 MB"),
    "facts that are no JSON": (
        "g = request(); send({'status': 'seen', 'id': g['id']}, b'nonsense')", UNREADABLE),
    "deep facts": (
        "g = request(); send({'status': 'seen', 'id': g['id']}, b'[' * 500000)", UNREADABLE),
    "no facts": ("g = request(); send({'status': 'seen', 'id': g['id']})", UNREADABLE),
    "facts that are a list": (
        "g = request(); send({'status': 'seen', 'id': g['id']}, b'[]')", UNREADABLE),
    "huge facts": (
        "g = request(); send({'status': 'seen', 'id': g['id']}, b'[' + b'1,' * 9000000 + b'1]')",
        UNREADABLE),
    "shapes of other things": ("built([['w', ['a', None]]])", UNREADABLE),
    "negative shapes": ("built([['w', [-1, -1]]])", UNREADABLE),
    "an odd GPU argument": ("built(gpu_argument={'by': 'script'})", UNREADABLE),
    "an output of another size": (f"built(); seen({FLOATS}[:-4])", UNREADABLE),
    "an output without end": (f"built(); seen({FLOATS}, shape=[float('inf')])", UNREADABLE),
    "an output of a negative shape": (f"built(); seen({FLOATS}, shape=[-1, 24])", UNREADABLE),
    "no output": ("built(); seen()", UNREADABLE),
    "two outputs": (f"built(); seen({FLOATS}, {FLOATS})", UNREADABLE),
    "no trace": (f"built(); seen({FLOATS}, trace=None)", UNREADABLE),
    "a trace of a billion GPUs": (
        f"built(); seen({FLOATS}, trace=TRACE | {{'devices': 10 ** 9}})", UNREADABLE),
    "a trace with text for numbers": (
        f"built(); seen({FLOATS}, trace=TRACE | {{'peak_memory': ['a', 'b']}})", UNREADABLE),
    "ops that are none": (
        f"built(); seen({FLOATS}, trace=TRACE | {{'ops': [[1], 2]}})", UNREADABLE),
    "numbers beyond floats": (
        f"built(); seen({FLOATS}, trace=TRACE | {{'losses': [10 ** 400]}})", UNREADABLE),
}  # fmt: skip


@pytest.fixture
def lying(rubric, tmp_path):
    """A prober whose workers run the given script; no process of theirs outlives the test."""
    launchers, probers = [], []

    def prober(script, prelude=HONEST_BUILD):
        launchers.append(FakeLauncher(prelude + script))
        limits = attrs.evolve(rubric.limits, build=2.0, forward=2.0, train=2.0)
        files = [Path("hw3.py")]
        probers.append(WorkerProber(launchers[-1], tmp_path, files, rubric.model, limits))
        return probers[-1]

    yield prober
    for one in probers:
        one.__exit__()
    for launcher in launchers:
        for process in launcher.processes:
            assert process.poll() is not None, "a process is still alive"


@pytest.mark.parametrize(("script", "says"), CASES.values(), ids=CASES)
def test_a_lie_is_a_failed_probe(script, says, lying):
    began = time.monotonic()
    with pytest.raises(ProbeFailed, match=says) as told:
        lying(script).forward(20, 2)
    assert told.value.hint is None or told.value.hint.isprintable()
    assert time.monotonic() - began < 8


def test_numbers_that_are_none_are_not_right(lying):
    nan = "struct.pack('<144f', *[float('nan')] * 144)"
    run = lying(f"built(); seen({nan}); seen({nan})").forward(20, 2)
    assert run.numbers.right is False
    assert "NaN" in run.numbers.problem


def test_places_are_short_and_printable(lying):
    kinds = ("placed", "forward", "cuts", "coarse", "lists")
    places = f"dict.fromkeys({kinds}, ['\\x1b[31m' * 500] * 120)"
    op = "['aten::mm', 0, '0', 'forward', 0, 'hw3.py\\x1b[31m' * 10 ** 5]"
    answer = f"seen({FLOATS}, trace=TRACE | {{'ops': [{op}]}})"
    run = lying(f"built(places={places}); {answer}; {answer}").forward(20, 2)
    for told in (run.placed_at, run.ran_at, run.numbers.where):
        assert told.isprintable()
        assert len(told) < 1100


@pytest.mark.parametrize(
    "places", ["None", "[]", "{'placed': 5}", "dict.fromkeys(('placed',), [])"]
)
def test_places_of_another_kind_are_unreadable(places, lying):
    with pytest.raises(ProbeFailed, match=UNREADABLE):
        lying(f"built(places={places})").forward(20, 2)


def test_a_model_that_is_too_large_is_a_question(lying):
    from grader.checking.expect import NeedsPerson

    with pytest.raises(NeedsPerson, match="parameters"):
        lying("built([['w', [10 ** 6, 10 ** 6]]])").forward(20, 2)


def test_losses_of_another_kind_are_unreadable(lying):
    script = f"built(); seen({FLOATS}); seen({FLOATS}); seen({FLOATS}, losses={{}})"
    with pytest.raises(ProbeFailed, match=UNREADABLE):
        lying(script).train(20, 2)


def test_what_is_pushed_ahead_does_not_fill_our_memory(lying):
    prober = lying("built()\nwhile True: send({'status': 'seen'}, b'x' * (1 << 20))")
    with pytest.raises(ProbeFailed, match=GARBLED):
        prober.forward(20, 2)


def test_an_answer_that_arrives_while_nobody_reads_ends_the_worker(lying):
    prober = lying("built(); send({}); send({}); send({}); time.sleep(60)")
    with pytest.raises(ProbeFailed, match=GARBLED):
        prober.forward(20, 2)


@pytest.mark.parametrize("script", ["os._exit(1)", "raw(b'hello')", "print('no frame')"])
def test_a_worker_that_does_not_start_is_our_fault(script, lying):
    with pytest.raises(InternalError, match="did not start"):
        lying(script, prelude="").forward(20, 2)


def test_a_failure_of_the_worker_is_our_fault_and_keeps_its_details(lying):
    script = "g = request(); send({'status': 'error', 'id': g['id'], 'message': 'line 7 broke'})"
    with pytest.raises(InternalError, match="line 7 broke"):
        lying(script).forward(20, 2)


def test_after_the_time_is_lost_nothing_more_is_tried(rubric, tmp_path):
    launcher = FakeLauncher(HONEST_BUILD + "time.sleep(60)")
    limits = attrs.evolve(rubric.limits, build=0.6, lost=1.0)
    with WorkerProber(launcher, tmp_path, [Path("hw3.py")], rubric.model, limits) as prober:
        for _ in range(4):
            with pytest.raises(ProbeFailed) as told:
                prober.forward(20, 2)
        assert "not tried" in told.value.message
        assert told.value.hint
    assert len(launcher.processes) == 2
