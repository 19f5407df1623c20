"""What is suggested for answers of Practical 10, right and wrong, in students' words.

The checks compare them with the reference's sample, which runs.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.assignment import find
from grader.checking.answer import Answer
from grader.checking.cues import cue_cases
from grader.checking.run import run_checks
from grader.checking.submission import SubmissionHandle
from grader.judge.award import award
from grader.judge.prober import WorkerProber
from grader.rubric import load_rubric

NAME = "practical10"
SAMPLE = Path(__file__).parents[2] / "reference" / NAME / "python"

#: criterion -> answers that deserve full points
RIGHT = {
    "p1.q1": [
        "2",
        "Q1: Two processes are running.",
        "Two processes (rank 0 and rank 1), because nproc_per_node is 2.",
        "There are 2 ranks, Rank 0 and Rank 1, so 2 processes on 4 GPUs.",
        "Number of processes: 2",
        "torchrun starts [Rank 0] and [Rank 1].",
    ],
    "p1.q2": [
        "Rank 0: cuda:0 and cuda:2\nRank 1: cuda:1 and cuda:3",
        "Rank 0 uses GPUs 0 and 2, rank 1 uses GPUs 1 and 3.",
        "| Rank | GPUs |\n|---|---|\n| 0 | cuda:0, cuda:2 |\n| 1 | cuda:1, cuda:3 |",
        "Each rank uses 2 GPUs: rank 0 -> GPU 0, GPU 2; rank 1 -> GPU 1, GPU 3.",
        "GPU 0 and GPU 2 are used by rank 0. GPU 1 and GPU 3 are used by rank 1.",
        "Every rank uses cuda:local_rank and cuda:local_rank + 2.",
        "[Rank 0] first half on cuda:0, second half on cuda:2. [Rank 1] cuda:1 and cuda:3.",
        "Rank 0 → cuda:0 & cuda:2, Rank 1 → cuda:1 & cuda:3",
        "Rank 0 uses GPU0 and GPU2 while Rank 1 uses GPU1 and GPU3.",
    ],
    "p1.q3": [
        "4",
        "4 micro-batches per rank.",
        "Each rank processes four micro-batches, so 8 micro-batches in total.",
        "MICRO_BATCHES = 4, so 4.",
        "8 micro-batches in total (both ranks).",
    ],
    "p1.q4": [
        "After all micro-batches have been processed, before the optimizer step.",
        "Once per iteration, when all backward passes are finished.",
        "At the end of each iteration, all_reduce averages the gradients.",
        "After the backward pass of the last micro-batch.",
        "Synchronization happens after the loop over the micro-batches is done, not after each "
        "micro-batch.",
    ],
    "p2.q1": [
        "There are more lines with 8 micro-batches and fewer with 2.",
        "Only the number of printed micro-batches changes: 2 or 8 instead of 4.",
        "With 8, each rank prints 8 forward and backward lines, each micro-batch has 8 samples.",
    ],
    "p2.q2": [
        "With MICRO_BATCHES = 2: 2 forward and 2 backward steps. With MICRO_BATCHES = 8: 8 forward "
        "and 8 backward steps.",
        "2 micro-batches: 2 forward + 2 backward; 8 micro-batches: 8 forward + 8 backward.",
        "| MICRO_BATCHES | forward | backward |\n|---|---|---|\n| 2 | 2 | 2 |\n| 8 | 8 | 8 |",
        "One forward and one backward step for each micro-batch.",
        "For 2 there are 4 steps per rank, for 8 there are 16 steps per rank.",
        "Now there are 2 forward and 2 backward steps, or 8 and 8 with MICRO_BATCHES = 8.",
        "2 -> 2 forward + 2 backward, 8 -> 8 forward + 8 backward",
        "MICRO_BATCHES=2 gives 2 forward/backward steps and MICRO_BATCHES=8 gives 8.",
        "Two forward and two backward passes with 2, eight and eight with 8.",
    ],
    "p3.q1": [
        "No.",
        "No, it does not change. Only the micro-batches get bigger.",
        "The execution pattern stays the same.",
        "The execution pattern does not change, only the size of each micro-batch.",
    ],
    "p3.q2": [
        "The number of micro-batches and the GPUs that each rank uses.",
        "4 forward and 4 backward steps, two processes and one synchronization.",
        "The order of forward and backward passes.",
    ],
    "p4.q1": [
        "It disappears.",
        "Rank 1 does not exist any more, only Rank 0 is running.",
        "There is no [Rank 1] in the output.",
        "It is not started.",
        "No output of Rank 1 is printed, since there is just one process.",
        "Rank 1 is gone.",
    ],
    "p4.q2": [
        "No, there is only one process, so there is nothing to synchronize.",
        "The function is still called, but it has no effect because there is only one process.",
        "No, because no other rank exists.",
        "Technically yes, all_reduce runs, but it is trivial with world size 1.",
    ],
    "p5.q1": [
        "Both parts of the model are now on the same GPU.",
        "The output shows cuda:0 and cuda:0 for rank 0, cuda:1 and cuda:1 for rank 1.",
        "cuda:2 and cuda:3 no longer appear.",
        "device1 is the same as device0, so each rank uses only one GPU.",
        "Layer 2 is not on cuda:2 and cuda:3 anymore, everything of a rank is on its first GPU.",
    ],
    "p5.q2": [
        "Only one GPU per rank. In total two GPUs are used (cuda:0 and cuda:1).",
        "Yes, 2 GPUs because of data parallelism, but there is no model parallelism any more.",
        "No, each process uses a single GPU.",
        "GPUs 2 and 3 are idle, only GPU 0 and GPU 1 work.",
    ],
}

#: criterion -> answers that must not be given full points without a person's word
WRONG = {
    "p1.q1": [
        "4 processes, one for each GPU.",
        "1",
        "Four: rank 0, rank 1, rank 2 and rank 3.",
        "I ran it with torchrun.",
    ],
    "p1.q2": [
        "Rank 0 uses GPUs 0 and 1, rank 1 uses GPUs 2 and 3.",
        "Rank 0: cuda:0. Rank 1: cuda:1.",
        "All ranks use all 4 GPUs.",
    ],
    "p1.q3": ["2 micro-batches.", "64", "Many."],
    "p1.q4": [
        "After each micro-batch.",
        "During the forward pass.",
        "It never synchronizes.",
        "Synchronization happens in every backward pass.",
    ],
    "p2.q1": ["Nothing changes.", "The output stays the same.", "It is faster."],
    "p2.q2": [
        "With MICRO_BATCHES = 2: 4 forward and 3 backward. With MICRO_BATCHES = 8: 5 forward.",
        "4 forward and 4 backward steps for 2 micro-batches, 4 forward and 4 backward for 8 "
        "micro-batches.",
        "More steps.",
    ],
    "p3.q1": ["Yes, it changes.", "Yes, there are more micro-batches with 128.", "It is slower."],
    "p3.q2": ["Nothing.", "The size of each micro-batch stays the same.", "The loss."],
    "p4.q1": ["Rank 1 waits for rank 0.", "It becomes faster.", "Rank 1 still runs on GPU 1."],
    "p4.q2": ["Yes.", "No.", "Yes, it is still happening.", "Maybe."],
    "p5.q1": ["Nothing changes.", "The program crashes.", "It is slower."],
    "p5.q2": ["Yes, all 4 GPUs are still used.", "Yes.", "No."],
}


@pytest.fixture(scope="module")
def suggested(launcher):
    """The suggestion for an answer to a criterion, beside the reference's sample."""
    rubric = load_rubric(find(NAME))
    files = [file.relative_to(SAMPLE) for file in sorted(SAMPLE.glob("*.py"))]
    criteria = {c.id: c for c in rubric.criteria}
    limits, scripts = rubric.limits, rubric.script
    with WorkerProber(launcher, SAMPLE, files, None, limits, scripts) as prober:
        handle = SubmissionHandle(prober)

        def suggest(criterion, text):
            answer = Answer(text, 1)
            handle.read, handle._answers = lambda _: answer, {}
            if cues := criteria[criterion].cue:
                cases = cue_cases(criterion, cues, answer)
            else:
                checks = find(NAME).checks
                cases = run_checks(checks, handle, seconds=60, wanted=criterion.__eq__)
            return award(criteria[criterion], cases)

        yield suggest


def answers(of):
    return [
        pytest.param(criterion, text, id=f"{criterion} {text[:50]}")
        for criterion, texts in of.items()
        for text in texts
    ]


@pytest.mark.parametrize(("criterion", "text"), answers(RIGHT))
def test_a_right_answer_is_worth_its_points(suggested, criterion, text):
    score = suggested(criterion, text)
    assert score.earned == score.points, score.evidence


@pytest.mark.parametrize(("criterion", "text"), answers(WRONG))
def test_a_wrong_answer_is_not(suggested, criterion, text):
    score = suggested(criterion, text)
    assert score.earned != score.points, score.evidence
