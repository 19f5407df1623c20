"""Practical 10: a sample in ranks of two GPUs each, with micro-batches; its trace is judged."""

from itertools import pairwise

import pytest

from grader.checking.expect import NeedsPerson, NotHandedIn, expect
from grader.checking.observations import ProbeFailed
from grader.program import Kind
from grader.ranks import place

GPUS = 4
PAGE = [[0, 2], [1, 3]]  # cuda:{local_rank} and cuda:{local_rank + 2}
CLOSE = 1e-3  # relative: what is added in another order is rounded otherwise
EXACT = 1e-9  # relative, of numbers that are only copied

#: What Part 5 asks to be changed, however it is written.
ONE_GPU = {
    'f"cuda:{_ + 2}"': 'f"cuda:{_}"',
    "local_rank + 2": "local_rank",
    "rank + 2": "rank",
    '"cuda:" + str(_ + 2)': '"cuda:" + str(_)',
    '"cuda:{}".format(_ + 2)': '"cuda:{}".format(_)',
    'torch.device("cuda", _ + 2)': 'torch.device("cuda", _)',
}

# ------------------------------------------------------------------ part 1


@pytest.mark.criterion("p1.gpus")
def test_each_rank_has_two_gpus_of_its_own(submission):
    run = sample(submission)
    seen = gpus_of(run)
    single = all(len(own) == 1 for own in seen)
    if single and not was_handed_in(submission):
        raise NeedsPerson(f"{run.file} is as Part 5 leaves it: {told(seen)}; was Part 1 right?")
    apart = len({gpu for own in seen for gpu in own}) == sum(map(len, seen))
    if seen != PAGE and apart and not single:
        raise NeedsPerson(f"its ranks use other GPUs than the page's: {told(seen)}")
    expect(
        seen == PAGE,
        expected="the first half on cuda:{local_rank}, the second on cuda:{local_rank + 2}: "
        + told(PAGE),
        seen=told(seen),
        hint='device0 = torch.device(f"cuda:{local_rank}") holds the first half, device1 = '
        'torch.device(f"cuda:{local_rank + 2}") the second; no two ranks share a GPU.',
    )
    moves = [sum(a != b for a, b in pairwise(one[0].placement)) for one in iterations(run)]
    expect(
        set(moves) == {1},
        expected="two halves: layers that change the GPU once in a forward step",
        seen="one after the other" if set(moves) == {1} else f"{max(moves)} changes of the GPU",
        hint="All layers of the first half belong on device0, all others on device1.",
    )


@pytest.mark.criterion("p1.sync")
def test_gradients_are_synchronised_once_after_all_micro_batches(submission):
    run = sample(submission)
    every = [(rank, one) for rank, rounds in enumerate(iterations(run)) for one in rounds]
    for rank, one in every:
        doubt(run, rank, one)
    without = next(((rank, one) for rank, one in every if not one.syncs()), None)
    expect(
        without is None,
        expected="gradients that are all-reduced before the optimizer's step",
        seen=f"rank {without[0]} steps without" if without else "gradients are all-reduced",
        hint="After all micro-batches, call dist.all_reduce(parameter.grad) for every parameter.",
    )
    wrong = next((n for n, (_, one) in enumerate(every) if not once_at_the_end(one)), 0)
    rank, one = every[wrong]
    first = one.syncs()[0]
    expect(
        once_at_the_end(one),
        expected="one synchronisation in an iteration, after the backward passes of all "
        "micro-batches",
        seen=f"{len(one.syncs())} in an iteration of rank {rank}, at {place(first.line)}, after "
        f"{first.forwards} of {one.forwards} micro-batches",
        hint="Take the all_reduce out of the loop over micro-batches: gradients add up in .grad "
        "meanwhile.",
    )
    differing = run.disagreement()
    expect(
        differing is None,
        expected="the same collectives on all ranks",
        seen=differing or "the same calls on all ranks",
        hint="Every rank has to make every call: no all_reduce within `if rank == 0`.",
    )


def once_at_the_end(one):
    return len(one.syncs()) == 1 and one.is_last(one.syncs()[0])


def doubt(run, rank, one):
    """Ways to synchronise that are not wrong, and not the page's."""
    wrapped = any(call.name == "DistributedDataParallel" for call in run.processes[rank].calls)
    if len(one.syncs()) > 1 and wrapped:
        raise NeedsPerson(
            f"DistributedDataParallel synchronises {len(one.syncs())} times in an iteration (with "
            "model.no_sync() it would once); is that meant?"
        )
    elsewhere = [event for event in combined(run, rank) if event not in one.events]
    if not one.syncs() and elsewhere:
        raise NeedsPerson(
            "nothing is all-reduced between backward and step, but it is at "
            f"{place(elsewhere[0].line)}; are ranks synchronised that way?"
        )


@pytest.mark.criterion("p1.equal")
@pytest.mark.parametrize("case", ["all ranks", "one process"])
def test_ranks_step_alike(submission, case):
    ranks_agree(submission) if case == "all ranks" else as_one_process(submission)


def ranks_agree(submission):
    run = sample(submission)
    steps = [[step for one in rounds for step in one.of(Kind.STEP)] for rounds in iterations(run)]
    if not any(steps):
        raise NeedsPerson("no optimizer steps; are the gradients of all ranks equal?")
    unequal = next(
        (n for n, alike in enumerate(zip(*steps, strict=False)) if not same(*alike)), None
    )
    counts = sorted({len(one) for one in steps})
    expect(
        unequal is None and len(counts) == 1,
        expected="equal parameters on all ranks after every step",
        seen=f"other parameters after step {unequal + 1}"
        if unequal is not None
        else f"equal parameters after {' or '.join(map(str, counts))} steps",
        hint="All ranks start from the same parameters (torch.manual_seed before the model is "
        "made) and step by the same gradients (all_reduce before optimizer.step()).",
    )


def as_one_process(submission):
    """Where all ranks draw the same numbers, together they do what one process does."""
    ours = [rounds[0] for rounds in iterations(sample(submission, same=True))]
    try:
        [[single, *_]] = iterations(alone(submission))
    except (ProbeFailed, NeedsPerson) as failed:
        raise NeedsPerson(f"there is nothing to compare with: {failed}") from failed
    fed = [one.fed for one in ours]
    if None in (*fed, single.fed) or not (
        all(near(each, single.fed, EXACT) for each in fed) or near(sum(fed), single.fed, EXACT)
    ):
        raise NeedsPerson("one process is given other data than two; are the gradients right?")
    whole = single.of(Kind.GRADIENT)
    if not whole or any(len(one.of(Kind.GRADIENT)) != len(whole) for one in ours):
        raise NeedsPerson("no optimizer steps; are the gradients right?")
    wrong = next((rank for rank, one in enumerate(ours) if not alike(one, single)), None)
    seen = "as of one process"
    if wrong is not None:
        mine = ours[wrong].of(Kind.GRADIENT)
        times = mine[0].value / whole[0].value if whole[0].value else 0.0
        is_multiple = any(near(times, n, CLOSE) for n in range(2, 9))
        seen = f"on rank {wrong} "
        seen += f"{times:.3g} times as large" if is_multiple else "other gradients"
    expect(
        wrong is None,
        expected="gradients as of one process with the whole batch: the mean of all ranks",
        seen=seen,
        hint="all_reduce adds up: divide by the number of processes (dist.get_world_size()), "
        "or ask for op=dist.ReduceOp.AVG.",
    )


def alike(one, other):
    """Whether the gradients are the same, or the steps: a rate may make up for a sum."""
    pairs = [list(zip(one.of(k), other.of(k), strict=False)) for k in (Kind.GRADIENT, Kind.STEP)]
    return all(same(*pair) for pair in pairs[0]) or all(a.text == b.text for a, b in pairs[1])


# ------------------------------------------------------------------ parts 2 and 3


@pytest.mark.criterion("p2.steps")
@pytest.mark.parametrize("micro", [2, 8], ids=["2 micro-batches", "8 micro-batches"])
def test_a_forward_and_a_backward_step_for_each_micro_batch(submission, micro):
    run = with_micro_batches(submission, micro)
    counts = [(one.forwards, one.backwards) for rounds in iterations(run) for one in rounds]
    seen = next((count for count in counts if count != (micro, micro)), counts[0])
    expect(
        seen == (micro, micro),
        expected=f"{micro} forward and {micro} backward steps in each iteration of each rank",
        seen="{} forward and {} backward steps".format(*seen),
        hint="Cut the batch into MICRO_BATCHES parts, and call loss.backward() for each.",
    )


@pytest.mark.criterion("p2.sum")
def test_gradients_of_all_micro_batches_add_up(submission):
    few, many = (with_micro_batches(submission, micro) for micro in (2, 8))
    names = {op.name for op in few.processes[0].trace.ops}
    if any(part in name for name in names for part in ("batch_norm", "dropout", "bernoulli")):
        raise NeedsPerson("its model depends on how the batch is cut; do the gradients add up?")
    ratios = [
        ratio
        for two, eight in zip(iterations(few), iterations(many), strict=True)
        for ratio in ratios_of(two[0], eight[0])
    ]
    # The loss may be divided by the number of micro-batches, or not.
    adding = any(all(near(ratio, wanted, CLOSE) for ratio in ratios) for wanted in (1, 4))
    expect(
        adding,
        expected="the same gradient from 2 and from 8 micro-batches of one batch",
        seen="the same" if adding else "other gradients",
        hint="optimizer.zero_grad() belongs before the loop over micro-batches: within, it throws "
        "away what the micro-batches before have added. The loss is divided by MICRO_BATCHES.",
    )


def ratios_of(two, eight):
    """Gradients of 8 micro-batches by those of 2, for each optimizer."""
    pairs = list(zip(two.of(Kind.GRADIENT), eight.of(Kind.GRADIENT), strict=False))
    if not pairs or None in (two.fed, eight.fed) or not near(two.fed, eight.fed, EXACT):
        raise NeedsPerson("with other micro-batches the data is other; do gradients add up?")
    return [b.value / a.value if a.value else 0.0 for a, b in pairs]


@pytest.mark.criterion("p3.batch")
def test_another_batch_size_changes_micro_batches_only(submission):
    usual = iterations(sample(submission))
    small, large = (iterations(sample(submission, sizes={"batch": n})) for n in (32, 128))
    patterns = [[pattern(rounds) for rounds in run] for run in (usual, small, large)]
    rows = [sum(run[0][0].rows) for run in (small, large)]
    expect(
        patterns[0] == patterns[1] == patterns[2],
        expected="as many forward and backward steps and synchronisations with 32 and with 128 "
        "samples",
        seen=f"{small[0][0].forwards} and {large[0][0].forwards} forward steps in an iteration",
        hint="Only the size of a micro-batch follows from BATCH_SIZE.",
    )
    expect(
        rows[0] > 0 and rows[1] == 4 * rows[0] and 32 % rows[0] == 0,
        expected="all samples of the batch, whatever its size",
        seen=f"{rows[0]} of 32 and {rows[1]} of 128 samples in an iteration of rank 0",
        hint="Cut the batch of BATCH_SIZE samples into parts that hold all of it.",
    )


def pattern(rounds):
    return [(one.forwards, one.backwards, len(one.syncs())) for one in rounds]


# ------------------------------------------------------------------ parts 4 and 5


@pytest.mark.criterion("p4.one")
def test_one_process_works(submission):
    [[first, *_]] = iterations(alone(submission))
    expect(
        first.forwards > 0 and first.backwards > 0,
        expected="a process that trains alone, to its end",
        seen=f"{first.forwards} forward and {first.backwards} backward steps of rank 0",
        hint="Call loss.backward() for every micro-batch, however many processes there are.",
    )


@pytest.mark.criterion("p5.one_gpu")
def test_both_halves_on_one_gpu(submission):
    run = broken(submission)
    seen = gpus_of(run)
    expect(
        [len(own) for own in seen] == [1, 1] and seen[0] != seen[1],
        expected="one GPU for both halves of a rank, another for each rank",
        seen=told(seen),
        hint='Change nothing but device1 = torch.device(f"cuda:{local_rank}").',
    )


# ------------------------------------------------------------------ shared


def sample(submission, *, processes=2, **changes):
    return submission.torchrun("sample", processes=processes, gpus=GPUS, **changes)


def alone(submission):
    return sample(submission, processes=1, same=True)


def with_micro_batches(submission, micro):
    return sample(submission, sizes={"micro": micro})


def was_handed_in(submission):
    """Whether there is a program of Part 5 besides the sample."""
    try:
        submission.torchrun("broken", processes=2, gpus=GPUS, finished=False)
    except NotHandedIn:
        return False
    except (ProbeFailed, NeedsPerson):
        return True
    return True


def broken(submission):
    """The program of Part 5: as handed in, or the sample with what Part 5 changes."""
    if was_handed_in(submission):
        return submission.torchrun("broken", processes=2, gpus=GPUS)
    usual = sample(submission)
    if all(len(own) == 1 for own in gpus_of(usual)):
        return usual
    return sample(submission, rewrites=ONE_GPU)


def iterations(run):
    """Those of each rank; NeedsPerson where no model is seen at work."""
    found = run.iterations()
    for rank, rounds in enumerate(found):
        if not rounds:
            raise NeedsPerson(f"rank {rank} of {run.file} calls no model of torch.nn")
        if not any(one.backwards for one in rounds):
            raise NeedsPerson(f"rank {rank} of {run.file} never calls backward() itself")
    return found


def gpus_of(run):
    """The GPUs whose layers each rank used, in order of use."""
    return [list(dict.fromkeys(rounds[0].placement)) for rounds in iterations(run)]


def told(gpus):
    return "; ".join(
        f"rank {rank}: {' and '.join(f'cuda:{gpu}' if gpu >= 0 else 'the CPU' for gpu in own)}"
        for rank, own in enumerate(gpus)
    )


def combined(run, rank):
    """All-reductions of a rank, wherever they are, that are not of single numbers."""
    return [e for e in run.collectives()[rank] if e.text.startswith("allreduce") and e.bytes > 64]


def same(one, other):
    return one.text == other.text or near(one.value, other.value, CLOSE)


def near(a, b, relative):
    return abs(a - b) <= relative * max(abs(a), abs(b))
