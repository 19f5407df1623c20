"""What checks say, as data; and a handle that asks once."""

from __future__ import annotations

import contextlib

import pytest

from grader.checking.expect import Expectation, NeedsPerson, Unmet, expect, notebook
from grader.checking.observations import Forward, Numbers, ProbeFailed, Training
from grader.checking.run import checks_in, collected, run_checks
from grader.checking.submission import SubmissionHandle
from grader.errors import InternalError
from grader.records import Outcome
from grader.trace import Op, Phase, Trace


class Counting:
    """A prober without workers, which counts what it is asked."""

    def __init__(self, error=None):
        self.asked = []
        self.error = error

    def forward(self, depth, gpus):
        self.asked.append(("forward", depth, gpus))
        if self.error:
            raise self.error
        ops = [Op("aten::addmm", i * gpus // depth, None, Phase.FORWARD, 0) for i in range(depth)]
        return Forward(24, depth, gpus, Trace(gpus, ops), Numbers(True, "recomputed"))

    def train(self, depth, gpus):
        self.asked.append(("train", depth, gpus))
        right = Numbers(True, "recomputed")
        return Training(24, depth, gpus, [1.0, float("nan")], [5] * gpus, True, right)


CHECKS = """
import pytest
from grader.checking.expect import NeedsPerson, expect
from grader.checking.observations import ProbeFailed

pytestmark = pytest.mark.criterion("c")

@pytest.mark.parametrize("gpus", [1, 2], ids=["one", "two"])
def test_passes(submission, gpus):
    layers = submission.forward(depth=4, gpus=gpus).layers_per_gpu()
    expect(sum(layers) == 4, expected=4, seen=layers, hint="never shown")

def test_fails(submission):
    expect(True, expected="x", seen="first")
    expect(False, expected="five", seen="four", hint="count again")

def test_fault(submission):
    raise ProbeFailed("it broke", hint="mend it", operator="Traceback")

def test_blocked(submission):
    raise ProbeFailed("it cannot be loaded", blocked=True)

def test_person(submission):
    raise NeedsPerson("look at it", operator="details")

def test_error(submission):
    {}["ours"]

def test_no_such_fixture(nonsense): pass
"""


@pytest.fixture
def results(tmp_path):
    (tmp_path / "test_checks.py").write_text(CHECKS)
    cases = run_checks(tmp_path, SubmissionHandle(Counting()), seconds=60)
    names = ["one", "two", "fails", "fault", "blocked", "person", "error", "fixture"]
    return dict(zip(names, cases, strict=True))


def test_outcomes(results):
    assert [case.outcome for case in results.values()] == [
        Outcome.PASSED, Outcome.PASSED, Outcome.FAILED, Outcome.FAILED, Outcome.BLOCKED, None,
        Outcome.ERROR, Outcome.ERROR,
    ]  # fmt: skip
    assert {case.criterion for case in results.values()} == {"c"}
    assert [results[name].case for name in ("one", "two", "fails")] == ["one", "two", ""]


def test_texts_for_students_and_for_instructors(results):
    assert results["one"].evidence == "[4]"
    assert results["one"].hint is None
    assert results["fails"].evidence == "expected five; seen: four"
    assert results["fails"].hint == "count again"
    assert (results["fault"].evidence, results["fault"].hint) == ("it broke", "mend it")
    assert results["fault"].operator == "Traceback"
    assert results["person"].operator == "details"
    assert "KeyError: 'ours'" in results["error"].operator
    assert "KeyError" not in results["error"].evidence


def test_checks_that_hang_are_ended(tmp_path):
    (tmp_path / "test_slow.py").write_text(
        "import pytest, time\n@pytest.mark.criterion('c')\ndef test_x(): time.sleep(30)\n"
    )
    (case,) = run_checks(tmp_path, SubmissionHandle(Counting()), seconds=0.5)
    assert case.outcome is Outcome.ERROR
    assert "Timeout" in case.operator


def test_collected_once_for_many_hand_ins(tmp_path):
    (tmp_path / "test_checks.py").write_text(
        CHECKS + "\nwith open(__file__ + '.read', 'a') as log:\n    log.write('.')\n"
    )
    seen = []

    def use():
        for wanted in (lambda _: True, {"c"}.__contains__, {"other"}.__contains__):
            handle = SubmissionHandle(Counting())
            cases = run_checks(tmp_path, handle, seconds=60, wanted=wanted)
            seen.append((cases, handle.prober.asked))

    collected(tmp_path, use, seconds=60)
    (first, asked), (again, _), (none, silent) = seen
    assert [case.outcome for case in first] == [case.outcome for case in again]
    assert (len(first), len(asked)) == (8, 2)
    assert none == silent == []
    assert (tmp_path / "test_checks.py.read").read_text() == "."
    assert len(run_checks(tmp_path, SubmissionHandle(Counting()), seconds=60)) == 8
    assert (tmp_path / "test_checks.py.read").read_text() == ".."


@pytest.mark.parametrize("text", ["syntax error", "import nowhere_to_be_found", ""])
def test_checks_that_cannot_be_collected_are_not_used(tmp_path, text):
    (tmp_path / "test_checks.py").write_text(text)
    used = []
    with pytest.raises(InternalError, match="could not be run") as error:
        collected(tmp_path, lambda: used.append(1), seconds=60)
    assert (text or "no tests ran") in str(error.value)
    assert used == []


def test_each_probe_is_made_once():
    prober = Counting()
    handle = SubmissionHandle(prober)
    for _ in range(3):
        handle.forward(depth=4, gpus=2)
        handle.train(depth=4, gpus=2)
    handle.forward(depth=4, gpus=3)
    assert prober.asked == [("forward", 4, 2), ("train", 4, 2), ("forward", 4, 3)]
    assert [o["probe"] for o in handle.observations] == ["forward", "train", "forward"]


@pytest.mark.parametrize(
    ("error", "recorded"),
    [(ProbeFailed("it broke"), 1), (NeedsPerson("look"), 0), (InternalError("ours"), 0)],
)
def test_a_failure_is_remembered(error, recorded):
    prober = Counting(error)
    handle = SubmissionHandle(prober)
    for _ in range(2):
        with pytest.raises(type(error)):
            handle.forward(depth=4, gpus=2)
    assert len(prober.asked) == 1
    assert len(handle.observations) == recorded
    assert all(o["error"] == "it broke" for o in handle.observations)


def test_a_second_try_waits_for_one_hang_only():
    class Hanging(Counting):
        def forward(self, depth, gpus):
            seen = super().forward(depth, gpus)
            if gpus > 2:
                raise ProbeFailed(f"{gpus} GPUs hang", hung=True)
            return seen

    def seen_by(handle):
        for gpus in (1, 3, 2, 4, 5):
            with contextlib.suppress(ProbeFailed):
                handle.forward(depth=4, gpus=gpus)
        return handle

    first = seen_by(SubmissionHandle(Hanging()))
    second = seen_by(SubmissionHandle(Hanging(), before=first))
    assert [gpus for _, _, gpus in first.prober.asked] == [1, 3, 2, 4, 5]
    assert [gpus for _, _, gpus in second.prober.asked] == [1, 3, 2]
    assert second.observations == first.observations


def test_observations_are_plain_json():
    handle = SubmissionHandle(Counting())
    handle.forward(depth=4, gpus=2)
    handle.train(depth=4, gpus=2)
    forward, train = handle.observations
    assert forward["placement"] == [0, 0, 1, 1]
    assert forward["transfers"] == {"gpu_to_gpu": 0, "host_to_gpu": 0, "gpu_to_host": 0}
    assert train["losses"] == [1.0, None]  # JSON has no NaN
    assert train["memory_bytes"] == [5, 5]


def test_expectations_are_data():
    notebook.entries.clear()
    expect(True, expected=1, seen=1, hint="unused")
    with pytest.raises(Unmet) as unmet:
        expect(False, expected=1, seen=2, hint="try 1", where="line 3")
    assert unmet.value.expectation == Expectation(False, "1", "2", "try 1", "line 3")
    assert [entry.hint for entry in notebook.entries] == [None, "try 1"]


def test_checks_are_listed_with_their_cases_and_lines_and_not_run(tmp_path):
    (tmp_path / "test_a.py").write_text(
        "import pytest\n\n"
        '@pytest.mark.criterion("c")\n'
        '@pytest.mark.parametrize("gpus", [1, 2], ids=["one", "two"])\n'
        "def test_each(submission, gpus):\n    raise SystemExit\n\n"
        "def test_unmarked(submission):\n    pass\n"
    )
    (tmp_path / "wrong").mkdir()
    (tmp_path / "wrong" / "test_hers.py").write_text("no python\n")
    found = [(c.criterion, c.case, c.function, c.file.name, c.line) for c in checks_in(tmp_path)]
    assert found == [
        ("c", "one", "test_each", "test_a.py", 3),
        ("c", "two", "test_each", "test_a.py", 3),
        (None, "", "test_unmarked", "test_a.py", 8),
    ]


def test_checks_that_cannot_be_collected_are_not_listed(tmp_path):
    (tmp_path / "test_a.py").write_text("import nothing_of_this_name\n")
    with pytest.raises(InternalError, match="nothing_of_this_name"):
        checks_in(tmp_path)


def test_where_there_are_no_checks_none_is_run(tmp_path):
    (tmp_path / "wrong").mkdir()
    (tmp_path / "wrong" / "test_hers.py").write_text("no python\n")
    assert checks_in(tmp_path) == []
    assert run_checks(tmp_path, SubmissionHandle(Counting()), seconds=5) == []
