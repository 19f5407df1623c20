"""Practical 8: machines with fewer and with more GPUs, and answers in many words."""

from __future__ import annotations

import pytest

from grader.assignment import find
from grader.checking.answer import Answer
from grader.checking.expect import NeedsPerson
from grader.checking.run import run_checks
from grader.checking.submission import SubmissionHandle
from grader.crossings import crossings, timeline_of
from grader.judge.prober import WorkerProber
from grader.records import Outcome
from grader.rubric import load_rubric

PAGE = find("practical8").right / "page"

# ---------------------------------------------------------------------- the page's own code


@pytest.fixture
def page(launcher, tmp_path):
    """The page's code, to be run on any number of GPUs."""
    [file] = PAGE.glob("*.py")
    (tmp_path / file.name).write_bytes(file.read_bytes())
    rubric = load_rubric(find("practical8"))
    files = [file.relative_to(PAGE)]
    folder = tmp_path.resolve()
    with WorkerProber(launcher, folder, files, None, rubric.limits, rubric.script) as prober:
        yield SubmissionHandle(prober)


@pytest.mark.parametrize("gpus", [2, 3, 4, 5])
def test_the_same_two_gpus_are_used_wherever_there_are_more(page, gpus):
    run = page.program("model", gpus=gpus)
    found = crossings(run)
    assert {crossing.placement for crossing in found} == {(0, 1)}
    assert {(t.source, t.target, t.bytes) for c in found for t in c.moves} == {(0, 1, 256_000)}
    assert len(found) == 7
    assert run.trace.used() == [0, 1]


@pytest.mark.parametrize(("gpus", "line"), [(0, "layer1 = "), (1, "layer2 = ")])
def test_with_fewer_it_fails_where_it_would_on_real_machines(page, gpus, line):
    run = page.program("model", gpus=gpus, finished=False)
    assert line in (run.problem or "")
    assert crossings(run) == []


def test_no_two_gpus_compute_at_once(page):
    run = page.program("model", gpus=2, timeline=True)
    for crossing in crossings(run):
        timeline = timeline_of(run, crossing)
        assert timeline is not None
        assert min(timeline.busy_seconds()) > 1e-6
        assert timeline.most_at_once() == 1


# ---------------------------------------------------------------------- answers

RIGHT = {
    "q.start": [
        "Computation starts on GPU 0.",
        "On cuda:0, where layer1 is.",
        "The input is created on the CPU, and the computation begins at GPU 0 (device0).",
        "In the first layer, on the first GPU.",
        "GPU0",
        "Arvutus algab esimesel GPU-l (cuda:0).",
    ],
    "q.move": [
        "After layer1 and relu1, before layer2.",
        "It happens in forward, between the two parts of the model, after the ReLU of layer 1.",
        "When the first part has been computed on GPU 0, x is moved to GPU 1.",
        "Right before the second layer.",
        "Pärast esimest kihti ja enne teist kihti.",
        "Once GPU 0 is done with its layers.",
    ],
    "q.holds": [
        "GPU 1.",
        "cuda:1",
        "The final output is on GPU 1, because layer2 is there.",
        "The last GPU (device1).",
        "Väljund on teisel GPU-l.",
    ],
    "q.cost": [
        "It adds communication overhead.",
        "The copy takes time, in which no GPU computes.",
        "Moving the activations costs time.",
        "Time is lost for the transfer between the GPUs.",
        "Andmete liigutamine võtab aega.",
    ],
}

WRONG = {
    "q.start": ["On GPU 1.", "The computation starts on cuda:1.", "It starts on the CPU."],
    "q.move": [
        "After layer2.",
        "After the backward pass.",
        "At the beginning of forward.",
        "Before layer1.",
    ],
    "q.holds": ["GPU 0.", "The output stays on cuda:0.", "GPU 0 holds the output.", "The CPU."],
    "q.cost": ["Nothing.", "The move is free.", "It costs nothing."],
}


def of(answers: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(criterion, text) for criterion, texts in answers.items() for text in texts]


@pytest.mark.parametrize(("criterion", "text"), of(RIGHT))
def test_a_right_answer_is_suggested_as_right(criterion, text, outcomes):
    assert outcomes("practical8", criterion, text) == {Outcome.PASSED}


@pytest.mark.parametrize(("criterion", "text"), of(WRONG))
def test_a_wrong_answer_is_not(criterion, text, outcomes):
    assert Outcome.PASSED not in outcomes("practical8", criterion, text)


# ---------------------------------------------------------------------- checks of the report

TIMES = {
    "Forward time: 0.0021 s": Outcome.PASSED,
    "Forward time: 0.0021722555": Outcome.PASSED,
    "It took 3.2 ms, with synchronize.": Outcome.PASSED,
    "The forward pass took about 850 µs.": Outcome.PASSED,
    "Edasisuunaline läbimine kestis 2,5 millisekundit.": Outcome.PASSED,
    "| Pass | Time |\n| forward | 1.9ms |": Outcome.PASSED,
    "Forward time: 8.3e-05 seconds": Outcome.PASSED,
    "Forward time: 2100 s": Outcome.FAILED,
    "We measured the forward time.": None,
}
OVERLAP = {
    "No, GPU 1 waits until GPU 0 is done.": Outcome.PASSED,
    "The GPUs work one after the other.": Outcome.PASSED,
    "Nothing happens in parallel.": Outcome.PASSED,
    "Execution is sequential: GPU 0 works first, then GPU 1 works.": Outcome.PASSED,
    "They do not work at the same time.": Outcome.PASSED,
    "There is no overlap.": Outcome.PASSED,
    "While GPU 0 computes, GPU 1 is idle.": Outcome.PASSED,
    "Ei, GPU-d töötavad järjest.": Outcome.PASSED,
    "GPU-d ei tööta samal ajal.": Outcome.PASSED,
    "Yes, both GPUs work at the same time.": Outcome.FAILED,
    "The two GPUs compute in parallel.": Outcome.FAILED,
    "Jah, nad töötavad samal ajal.": Outcome.FAILED,
    "GPU 1 waits for GPU 0. Later both GPUs work at the same time.": None,
    "It was interesting.": None,
}


class Silent:
    """Runs nothing."""

    def __getattr__(self, name):
        def ask(*_):
            raise NeedsPerson("nobody is here")

        return ask


def said(handle: SubmissionHandle, criterion: str, text: str):
    handle.read = lambda _: Answer(text)
    folder = find("practical8").checks
    [case] = run_checks(folder, handle, seconds=60, wanted=lambda c: c == criterion)
    return case


@pytest.mark.parametrize("text", TIMES)
def test_a_time_is_read(text):
    assert said(SubmissionHandle(Silent()), "q.time", text).outcome is TIMES[text]


@pytest.mark.parametrize("text", OVERLAP)
def test_what_is_said_to_overlap(text):
    assert said(SubmissionHandle(Silent()), "q.overlap", text).outcome is OVERLAP[text]


def test_what_overlaps_is_compared_with_their_code(page):
    case = said(page, "q.overlap", "Yes, both work at the same time.")
    assert case.outcome is Outcome.FAILED
    assert "in a forward pass of this code, both compute for 0.0 µs at once" in case.evidence
