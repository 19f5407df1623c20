"""Ring all-reduce: what the ranks print, whom they talk to, and how much they send."""

import re

import pytest

from grader.checking.expect import NeedsPerson, expect

SIZES = {
    "2 ranks, 8 numbers": (2, 8),
    "3 ranks, 12 numbers": (3, 12),
    "4 ranks, 10 numbers": (4, 10),  # chunks of 3, 3, 2 and 2
}


@pytest.mark.criterion("t1.sum")
@pytest.mark.parametrize(("ranks", "numbers"), SIZES.values(), ids=SIZES.keys())
def test_every_rank_ends_with_the_sum(submission, ranks, numbers):
    run = submission.torchrun("ring", processes=ranks, gpus=ranks, sizes={"numbers": numbers})
    total = [ranks * i + 100 * sum(range(ranks)) for i in range(numbers)]
    for process in run.processes:
        expect(
            printed(process) == total,
            expected=f"rank {process.rank} to print [{total[0]}.0, ..., {total[-1]}.0]",
            seen=repr(process.printed[-200:]),
            hint="After n - 1 steps each rank has one chunk of the sum; after n - 1 more, all.",
        )


def printed(process):
    """The last list of numbers that a rank printed."""
    lists = re.findall(r"\[([^][]+)\]", process.printed)
    if not lists:
        raise NeedsPerson(f"rank {process.rank} prints no list; what is its result?")
    return [float(number) for number in re.findall(r"-?\d+\.?\d*", lists[-1])]


@pytest.mark.criterion("t1.neighbours")
def test_ranks_talk_to_their_neighbours_only(submission):
    run = of_four(submission)
    for process in run.processes:
        said = [f"{m.name} {m.peer}" if m.peer is not None else m.name for m in messages(process)]
        after, before = (process.rank + 1) % 4, (process.rank - 1) % 4
        expect(
            set(said) == {f"send {after}", f"recv {before}"},
            expected=f"rank {process.rank} of 4 to send to rank {after} and receive from {before}",
            seen=", ".join(sorted(set(said))) or "nothing sent",
            hint="dist.send(chunk, (rank + 1) % world), and no collective of torch's own.",
        )


@pytest.mark.criterion("t1.bytes")
def test_no_rank_sends_more_than_it_has_to(submission):
    most = 2 * 3 * (12 // 4) * 4  # steps, numbers of a chunk, bytes of a number
    for process in of_four(submission).processes:
        sent = sum(m.bytes for m in messages(process) if m.name == "send")
        expect(
            0 < sent <= most,
            expected=f"rank {process.rank} of 4 to send at most {most} bytes for 12 numbers",
            seen=f"{sent} bytes",
            hint="Send one chunk in each step, not the whole tensor.",
        )


def of_four(submission):
    return submission.torchrun("ring", processes=4, gpus=4, sizes={"numbers": 12})


def messages(process):
    return process.trace.messages
