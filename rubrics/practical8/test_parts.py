"""Practical 8: one model on two GPUs; all of it seen in runs of the scripts, whatever their names.

A program that ends in a mistake is judged by what it did before.
"""

import math
import re

import pytest

from grader.checking.expect import NeedsPerson, expect
from grader.crossings import crossings, timeline_of
from grader.mistakes import fix_for
from grader.program import Kind
from grader.trace import HOST, Phase

STEPS = 5
SMALL = 1000  # bytes: a loss, and no activations
TO_MOVE = (
    "In forward(): x = x.to(device1) when the layers of GPU 0 are done, and no other move from GPU "
    "to GPU. The input comes from the CPU."
)
TO_MEET = "The loss needs output and target on one GPU: y = y.to(device1)."

# ------------------------------------------------------------------ part 1


@pytest.mark.criterion("p1.layers")
@pytest.mark.parametrize("gpus", [2, 5], ids=["2 GPUs", "5 GPUs"])
def test_a_layer_on_each_gpu(submission, gpus):
    run = submission.program("model", gpus=gpus, finished=False)
    found = [crossing.placement for crossing in crossings(run)]
    if gpus > 2 and run.problem and not found:
        raise NeedsPerson(f"where there are {gpus} GPUs, it ends with {run.problem}")
    second = [1] if gpus == 2 else range(1, gpus)
    expect(
        any(p[0] == 0 and p[-1] in second and list(p) == sorted(p) for p in found),
        expected="a model whose first layer runs on cuda:0 and whose second on cuda:1",
        seen="; ".join(", then ".join(map(name, p)) for p in dict.fromkeys(found))
        or ended(run, "none on two GPUs"),
        hint=hint_of(
            run, "self.layer1 = nn.Linear(...).to(device0), self.layer2 = ....to(device1)."
        ),
    )


@pytest.mark.criterion("p1.transfer")
def test_one_move(submission):
    run = submission.program("model", gpus=2, finished=False)
    found = crossings(run)
    right = [
        [(t.source, t.target) for t in c.moves] == [(c.placement[0], c.placement[-1])]
        for c in found
    ]
    if any(right) and not all(right):
        raise NeedsPerson(f"not all its forward passes move the same: {moved(found)}")
    expect(
        any(right),
        expected="one copy between the GPUs in a forward pass, of what the first layer made",
        seen=moved(found) if any(c.moves for c in found) else ended(run, none_between(run)),
        hint=TO_MOVE if found else hint_of(run, TO_MOVE),
    )


@pytest.mark.criterion("p1.output")
@pytest.mark.parametrize("part", ["where it is", "printed"])
def test_where_the_output_is(submission, part):
    run = submission.program("model", gpus=2, finished=False)
    found = crossings(run)
    expect(
        bool(found),
        expected="an output of a model on two GPUs",
        seen="" if found else ended(run, "no such model"),
        hint=hint_of(run, "Put layer2 on device1: the output is where the last layer is."),
    )
    gpu = found[0].placement[-1]
    if part == "where it is":
        output_is_on(gpu, run)
    else:
        output_is_printed(gpu, run)


def output_is_on(gpu, run):
    where = {data.device for c in crossings(run) for data in run.calls[c.last].outputs}
    expect(
        where == {gpu},
        expected=f"the output on {name(gpu)}, where the last layer is",
        seen=" and ".join(map(name, sorted(where))) or ended(run, "no output"),
        hint=hint_of(run, "Return what the last layer makes, and leave it where it is."),
    )


def output_is_printed(gpu, run):
    ends = {c.last + 1 for c in crossings(run)}  # what is printed next may be a mere number
    outside = [e for e in run.of(Kind.PRINT) if e.forward is None and e.calls >= min(ends)]
    lines = [e.text for e in outside if mentions(e.text, gpu, by_number=e.calls in ends)]
    expect(
        bool(lines),
        expected="a line that says on which GPU the output is",
        seen=repr(lines[0]) if lines else ended(run, "no such line"),
        hint=hint_of(run, "print(output.device)"),
    )


# ------------------------------------------------------------------ part 2


@pytest.mark.criterion("p2.train")
@pytest.mark.parametrize("part", ["5 steps", "weights that change", "the target on the last GPU"])
def test_training(submission, part):
    run = submission.program("train", gpus=2, finished=False)
    if part == "5 steps":
        five_steps(run)
    elif part == "weights that change":
        weights_change(run)
    else:
        target_on_the_last_gpu(run)


def five_steps(run):
    steps = len(run.of(Kind.STEP))
    expect(
        steps >= STEPS,
        expected=f"{STEPS} steps of an optimizer",
        seen=f"{steps} steps, {losses(run)}" if steps >= STEPS else ended(run, f"{steps} steps"),
        hint=hint_of(run, "for step in range(5): ... optimizer.step()"),
    )


def weights_change(run):
    weights = [step.text for step in run.of(Kind.STEP)]
    changed = len(set(weights)) == len(weights) > 1
    finite = all(map(math.isfinite, run.trace.losses))
    seen = "other weights after each step" if changed else "the same weights after several steps"
    seen = seen if len(weights) > 1 else f"{len(weights)} steps"
    expect(
        changed and finite,
        expected="weights that each step changes, and losses that are numbers",
        seen=ended(run, seen if finite else losses(run)),
        hint=hint_of(run, "optimizer.zero_grad(), then loss.backward(), then optimizer.step()."),
    )


def target_on_the_last_gpu(run):
    found = crossings(run)
    last = found[-1].placement[-1] if found else 1
    compared = [c.inputs for c in run.calls if len(c.inputs) == 2 and not c.weights and c.outputs]
    where = {data.device for inputs in compared for data in inputs}
    if not compared and run.trace.losses:  # a loss that is a function: it wants both in one place
        out = [t for t in run.trace.transfers if t.source == last and t.phase is Phase.OTHER]
        if any(t.bytes > SMALL for t in out):
            raise NeedsPerson(f"what is moved from {name(last)} before the loss is computed?")
        where = {last}
    expect(
        where == {last},
        expected=f"output and target on {name(last)} when the loss is computed",
        seen=" and ".join(map(name, sorted(where))) or ended(run, "no loss"),
        hint=hint_of(run, "y = torch.randn(32, 1000).to(device1)"),
    )


def losses(run):
    return f"losses {', '.join(f'{loss:.4g}' for loss in run.trace.losses[:STEPS])}"


# ------------------------------------------------------------------ part 3


@pytest.mark.criterion("p3.prints")
def test_the_move_is_printed(submission):
    run = submission.program("moves", gpus=2, finished=False)
    passes = [inside(run, crossing) for crossing in crossings(run)]
    found = next(filter(None, (around(*one) for one in passes)), None)
    lines = [event.text for event in run.of(Kind.PRINT) if event.forward is not None]
    expect(
        found is not None,
        expected="in forward(), a line with the GPU of x before the move and one with it after",
        seen=" and ".join(map(repr, found or list(dict.fromkeys(lines))[:4]))
        or ended(run, "nothing that is printed in forward()"),
        hint='print("Before move:", x.device), then x = x.to(device1), then print("After move:", '
        "x.device): in forward().",
    )


def inside(run, crossing):
    """Its GPUs, and what is printed in it."""
    number = run.calls[crossing.first].forward
    first, last = crossing.first, crossing.last
    printed = [
        event.text
        for event in run.of(Kind.PRINT)
        if first < event.calls <= last + (event.forward == number)
    ]
    return crossing.placement, printed


def around(placement, printed):
    """The first line that names the first GPU and the next after it that names the last."""
    for n, before in enumerate(printed):
        if mentions(before, placement[0]):
            after = [line for line in printed[n:] if mentions(line, placement[-1])]
            return (before, after[0]) if after else None
    return None


# ------------------------------------------------------------------ part 4


@pytest.mark.criterion("p4.time")
def test_the_time_of_a_forward_pass(submission):
    run = submission.program("time", gpus=2, finished=False)
    timings = run.timings()
    own = [timing for timing in timings if not timing.trains]
    if not own and not run.problem and (timings or is_timed_otherwise(run)):
        what = "a training step" if timings else "something that we do not see"
        raise NeedsPerson(f"what is timed is {what}; is there the time of a forward pass?")
    true = [timing for timing in own if timing.true]
    expect(
        bool(true),
        expected="the time of a forward pass, read when the GPUs have finished",
        seen=f"{between(true[0])}, and between them the GPUs have finished{at_work(submission)}"
        if true
        else without_waiting(run, own),
        hint=hint_of(run, "start = time.time(), model(x), torch.cuda.synchronize(), end = ..."),
    )


def without_waiting(run, timings):
    if not timings:
        return ended(run, "no clock that is read before and after a forward pass")
    return (
        f"{between(timings[0])}, and nothing waits for the GPUs: in that time work is given to "
        "them, not done"
    )


def between(timing):
    file, _, line = (timing.start.line or "?:?").rpartition(":")
    end = (timing.end.line or "?").rpartition(":")[2]
    return f"the clock is read in lines {line} and {end} of {file}"


def is_timed_otherwise(run):
    """By a magic of a notebook, or by a clock that we do not know."""
    timed = re.compile(r"(time|aeg|sec|ms)\b.*\d", re.IGNORECASE)
    return run.file.endswith(".ipynb") or any(timed.search(e.text) for e in run.of(Kind.PRINT))


def at_work(submission):
    """How long each GPU works in a forward pass, on simulated ones, and how long both do."""
    run = submission.program("time", gpus=2, timeline=True, finished=False)
    timeline = next((timeline_of(run, one) for one in crossings(run)), None)
    if timeline is None:
        return ""
    busy = [f"cuda:{n} {seconds * 1e6:.1f} µs" for n, seconds in enumerate(timeline.busy_seconds())]
    both = sum(timeline.seconds_at_once()[2:])
    overlap = f"{both * 1e6:.1f} µs of it both" if both else "never both at once"
    return (
        f"; on simulated {timeline.spec} GPUs a pass keeps {' and '.join(busy)} at work, {overlap}"
    )


# ------------------------------------------------------------------ shared


def mentions(line, gpu, *, by_number=True):
    """Whether a line names a GPU: "cuda:1", "GPU 1", or a number 1 that stands alone."""
    named = re.search(rf"(?:cuda|gpu)\W{{0,2}}{gpu}\b", line, re.IGNORECASE)
    return bool(named or (by_number and re.search(rf"(?<![\w.]){gpu}(?![\w.,])", line)))


def none_between(run):
    """That nothing goes from GPU to GPU; perhaps it takes another way."""
    lines = [
        t.line for t in run.trace.transfers if (t.source, t.target) == (0, HOST) and t.bytes > SMALL
    ]
    return f"none; at {lines[0]} it goes to the CPU" if lines else "none"


def moved(found):
    """The copies of a forward pass: "cuda:0 to cuda:1 (practical8.py:30)"."""
    passes = (
        ", ".join(f"cuda:{t.source} to cuda:{t.target} ({t.line})" for t in crossing.moves[:8])
        or "none"
        for crossing in found
    )
    return "; ".join(dict.fromkeys(passes))


def ended(run, seen):
    """What was seen, and the mistake at which the program ended."""
    return f"{seen}: the program ends with {run.problem}" if run.problem else seen


def hint_of(run, otherwise):
    """What to do about the mistake at which the program ended, if it did."""
    found = crossings(run)
    if found and "same device" in (run.problem or ""):
        return TO_MEET if run.calls[found[-1].last].outputs else TO_MOVE
    return fix_for(run.problem or "") or otherwise


def name(device):
    return "the CPU" if device == HOST else f"cuda:{device}"
