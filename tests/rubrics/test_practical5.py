"""What is suggested for answers of Practical 5: they are held against their own table and code."""

from __future__ import annotations

import pytest

from grader.assignment import find
from grader.checking.answer import Answer
from grader.checking.run import run_checks
from grader.checking.submission import SubmissionHandle
from grader.intake import tables_in
from grader.judge.prober import WorkerProber
from grader.records import Outcome
from grader.rubric import load_rubric

P, F, PERSON = Outcome.PASSED, Outcome.FAILED, None

TIMES = (
    "| Set up | Step Time (sec) | Total Time (sec) |\n| Single GPU | {} |\n| DataParallel | {} |"
)
SLOWER = TIMES.format("0.115 | 3.64", "0.247 | 7.73")
FASTER = TIMES.format("0.115 | 3.64", "0.080 | 2.5")
IDEAL = TIMES.replace("DataParallel", "DataParallel, 2 GPUs").format("0.10 | 3", "0.05 | 1.5")
SPLIT = "| #GPUs | Batch Size | Split per GPU |\n| 2 | 64 | 32/32 |\n| 3 | {} |\n| 5 | {} |"


@pytest.fixture(scope="module")
def suggested(launcher):
    """What the checks of the report say of answers, by criterion, beside the reference's code."""
    rubric = load_rubric(find("practical5"))
    folder = find("practical5").reference
    files = [file.relative_to(folder) for file in sorted(folder.glob("*.py"))]
    answers: dict[str, str] = {}

    def read(criterion):
        return Answer(answers[criterion], tables=tables_in(answers[criterion]))

    with WorkerProber(launcher, folder, files, None, rubric.limits, rubric.script) as prober:
        handle = SubmissionHandle(prober, read)

        def run(criterion, **texts):
            answers.update({name.replace("_", "."): text for name, text in texts.items()})
            handle._answers.clear()
            checks = find("practical5").checks
            cases = run_checks(checks, handle, seconds=60, wanted=lambda c: c == criterion)
            return [case.outcome for case in cases]

        yield run


@pytest.mark.parametrize(
    ("table", "outcomes"),
    [
        (SLOWER, [P, P]),
        (
            "| | Single GPU | DataParallel |\n| Step time | 11 ms | 24 ms |\n| Total | 3 s | 7 s |",
            [P, P],
        ),
        (TIMES.format("0.115 | ", "0.247 | 7.73"), [F, P]),
        (TIMES.format("3.64 | 0.115", "0.247 | 7.73"), [F, P]),  # the wrong way round
        ("| Single GPU | 0.1 | 3 |", [PERSON, PERSON]),
        ("no table", [PERSON, PERSON]),
    ],
)
def test_the_table_of_times(suggested, table, outcomes):
    assert suggested("p3.table", p3_table=table) == outcomes


@pytest.mark.parametrize(
    ("table", "said", "outcome"),
    [
        (SLOWER, "No, each step took twice as long.", P),
        (SLOWER, "It did not, DataParallel was slower.", P),
        (SLOWER, "Yes, training became faster.", F),
        (FASTER, "Yes.", P),
        (FASTER, "Training became 1.4 times faster.", P),
        (FASTER, "No, it was slower.", F),
        (FASTER, "We used a server.", PERSON),
        ("no table", "Yes.", PERSON),
    ],
)
def test_faster_or_not_is_held_against_their_own_table(suggested, table, said, outcome):
    assert suggested("p3.faster", p3_table=table, p3_faster=said) == [outcome]


@pytest.mark.parametrize(
    ("table", "said", "outcome"),
    [
        (SLOWER, "No.", P),
        (SLOWER, "Yes, it is proportional.", F),
        (FASTER, "It is not proportional to the number of GPUs.", P),
        (IDEAL, "Yes.", P),
        (IDEAL, "No.", F),
    ],
)
def test_proportional_or_not_as_well(suggested, table, said, outcome):
    assert suggested("p3.proportional", p3_table=table, p3_proportional=said) == [outcome]


@pytest.mark.parametrize(
    ("three", "five", "outcomes"),
    [
        ("64 | 22/22/20", "64 | 13/13/13/13/12", [P, P]),
        ("64 | 22, 22 and 20", "64 | 4x13 + 12", [P, P]),
        ("64 | GPU0: 22, GPU1: 22, GPU2: 20", "64 | 13 x 4, 12", [P, P]),
        ("128 | 43/43/42", "128 | 26/26/26/26/24", [P, P]),  # another batch than the script's
        ("64 | 21/21/22", "64 | 13/13/13/13/12", [F, P]),
        ("64 | 64", "64 | 13/13/13/13/12", [PERSON, P]),  # what the print outside the model shows
    ],
)
def test_the_split_is_held_against_what_happened(suggested, three, five, outcomes):
    assert suggested("p4.table", p4_table=SPLIT.format(three, five)) == outcomes


def test_a_column_for_each_gpu_is_a_split_as_well(suggested):
    heads = "| GPUs | Batch | cuda:0 | cuda:1 | cuda:2 |"
    table = f"{heads}\n| 2 | 64 | 32 | 32 | |\n| 3 | 64 | 22 | 22 | 20 |"
    assert suggested("p4.table", p4_table=table) == [P, F]


@pytest.mark.parametrize(
    ("criterion", "said", "outcome"),
    [
        ("p3.memory", "GPU 0 needs more memory than the others.", P),
        ("p3.memory", "Every GPU holds a copy of the model.", P),
        ("p3.memory", "All GPUs need the same memory.", F),
        ("p3.memory", "See above.", PERSON),
        ("p5.loaded", "Yes, it collects the gradients.", P),
        ("p5.loaded", "cuda:0 has the highest load.", P),
        ("p5.loaded", "No, all are equally loaded.", F),
        ("p5.loaded", "See above.", PERSON),
    ],
)
def test_what_is_said_of_the_first_gpu_is_held_against_the_code(
    suggested, criterion, said, outcome
):
    assert suggested(criterion, **{criterion.replace(".", "_"): said}) == [outcome]
