"""Practical 4: one device, chunks of a batch, two GPUs; each seen in a run of the script.

Sizes are the student's own. A program that ends in a mistake is judged by what it did before.
"""

import re

import pytest

from grader.checking.expect import NeedsPerson, expect
from grader.checking.observations import ProbeFailed
from grader.crossings import crossings
from grader.mistakes import fix_for
from grader.program import Kind
from grader.trace import HOST

SMALL = 1000  # bytes: a number that is printed, and no activations
FEW = 8  # as many chunks as somebody may mean who does not take two

# ------------------------------------------------------------------ part 1


@pytest.mark.criterion("p1.baseline")
@pytest.mark.parametrize("gpus", [0, 1], ids=["no GPU", "1 GPU"])
def test_all_of_it_on_one_device(submission, gpus):
    run = submission.program("baseline", gpus=gpus, finished=False)
    batch = most_rows(run)
    whole = [call for call in models(run) if rows(call) == batch]
    if not (models(run) or run.problem):
        how = "calls its layers one by one" if run.calls else "calls no model of torch.nn"
        raise NeedsPerson(f"{run.file} {how}; what is its baseline?")
    to_one = (
        'device = torch.device("cuda" if torch.cuda.is_available() else "cpu"), for model and x.'
    )
    expect(
        bool(whole),
        expected="a model that is called with the whole batch",
        seen="" if whole else ended(run, "only calls with a part of it" if models(run) else "none"),
        hint=hint_of(run, to_one if run.problem else "Call model(x) once before you split x."),
    )
    wanted = 0 if gpus else HOST
    used = {layer.device for layer in run.trace.layers(whole[0].forward)}
    expect(
        used == {wanted},
        expected=f"its layers on {name(wanted)} where there {'is 1 GPU' if gpus else 'is none'}",
        seen=f"{batch} samples at once on {' and '.join(map(name, sorted(used)))}",
        hint=to_one,
    )


# ------------------------------------------------------------------ part 2


@pytest.mark.criterion("p2.chunks")
@pytest.mark.parametrize("uneven", [False, True], ids=["the batch", "an uneven batch"])
def test_one_model_takes_the_batch_in_chunks(submission, uneven):
    run = submission.program("chunks", gpus=1, finished=False)
    batch = batch_of(submission, run)
    sizes = chunks_of(run, batch)
    if not sizes and run.calls and not models(run):
        raise NeedsPerson(f"{run.file} calls its layers one by one; are its chunks right?")
    expect(
        bool(sizes),
        expected="calls of the model with parts of the batch",
        seen="" if sizes else ended(run, "none"),
        hint=hint_of(run, "for chunk in torch.chunk(x, 2): out = model(chunk)"),
    )
    if uneven:
        holds_all_of_an_uneven_batch(submission, batch, len(sizes[0]))
        return
    half = batch // 2
    if [batch - half, half] not in sizes and any(len(s) <= FEW and sum(s) == batch for s in sizes):
        raise NeedsPerson(f"{told(sizes)}, not 2 of {half}: is this what it should be?")
    expect(
        [batch - half, half] in sizes,
        expected=f"2 chunks of {half} samples",
        seen=told(sizes),
        hint="Ask for 2 chunks: torch.chunk(x, 2). (torch.split takes the size of a chunk.)",
    )


def holds_all_of_an_uneven_batch(submission, batch, count):
    """Another batch, that so many chunks do not divide, is split without a rest as well."""
    other = next((n for n in range(batch - 1, count, -1) if n % count), None)
    if other is None:
        raise NeedsPerson(f"{batch} samples are too few to see how they are split")
    run = submission.program("chunks", gpus=1, values={batch: other}, finished=False)
    sizes = chunks_of(run, other)
    if run.problem and not sizes:
        raise NeedsPerson(f"with {other} samples in the place of {batch}: {run.problem}")
    expect(
        any(sum(size) == other for size in sizes),
        expected=f"chunks that hold all of {other} samples, each once",
        seen=told(sizes) if sizes else "no chunks",
        hint="torch.chunk(x, 2) gives the rest to the last chunks; batch // 2 leaves it out.",
    )


@pytest.mark.criterion("p2.whole")
def test_the_outputs_are_joined(submission):
    run = submission.program("chunks", gpus=1, finished=False)
    batch = batch_of(submission, run)
    whole = [one for one in run.joined if one.output.shape[:1] == (batch,)]
    shown = [event for event in after_calls(run) if str(batch) in event.text]
    if not whole and shown and chunks_of(run, batch) and not run.problem:
        raise NeedsPerson(f"an output of {batch} samples is printed; how was it put together?")
    expect(
        bool(whole),
        expected=f"one output of {batch} samples, put together from those of the chunks",
        seen=", ".join(str(list(one.output.shape)) for one in (whole or run.joined))
        or ended(run, "nothing put together"),
        hint=hint_of(run, "Collect the outputs in a list, then final_output = torch.cat(outputs)."),
    )
    right = [one for one in whole if one.equal]
    if not right and any(one.equal is None for one in whole):
        raise NeedsPerson("the model cannot take the whole batch; is what is joined right?")
    expect(
        bool(right),
        expected="the same numbers as from the whole batch at once",
        seen=f"{'the same' if right else 'other'} numbers as from the whole batch at once",
        hint="Every chunk goes through the same model, and its output is kept as it is.",
    )
    if not any(list(one.calls) == sorted(one.calls) for one in right):
        raise NeedsPerson("outputs are joined in another order than made; is it the samples'?")


# ------------------------------------------------------------------ part 3


@pytest.mark.criterion("p3.layers")
def test_a_layer_on_each_gpu(submission):
    run = submission.program("split", gpus=2, finished=False)
    found = [crossing.placement for crossing in crossings(run)]
    expect(
        any(p[0] == 0 and p[-1] == 1 and list(p) == sorted(p) for p in found),
        expected="with 2 GPUs, a first layer that runs on cuda:0 and a second on cuda:1",
        seen="; ".join(", then ".join(map(name, p)) for p in dict.fromkeys(found))
        or instead(run, "all layers of a model on one device"),
        hint=hint_of(run, 'Build layer1 with .to("cuda:0") and layer2 with .to("cuda:1").'),
    )


@pytest.mark.criterion("p3.transfer")
def test_one_move(submission):
    run = submission.program("split", gpus=2, finished=False)
    found = crossings(run)
    right = [
        [(t.source, t.target) for t in c.moves] == [(c.placement[0], c.placement[-1])]
        for c in found
    ]
    if any(right) and not all(right):
        raise NeedsPerson(f"not all its forward passes move the same: {moved(found)}")
    expect(
        any(right),
        expected="one copy between the GPUs, of what the first layer made",
        seen=moved(found) if any(c.moves for c in found) else instead(run, none_between(run)),
        hint="Move the first layer's output, and only that: out = out.to(device1).",
    )


@pytest.mark.criterion("p3.message")
@pytest.mark.parametrize("gpus", [0, 1], ids=["no GPU", "1 GPU"])
def test_a_message_in_its_place(submission, gpus):
    run = submission.program("split", gpus=gpus, finished=False)
    if gpus == 0 and run.problem and run.problem == baseline_problem(submission):
        run = submission.program("split", gpus=1, finished=False)  # that was part 1's
    with_two = submission.program("split", gpus=2, finished=False)
    usual = {plain(e.text) for e in with_two.of(Kind.PRINT)} if crossings(with_two) else set()
    lines = [e.text for e in run.of(Kind.PRINT)] + [run.code or ""]
    said = [line for line in lines if is_message(line) and plain(line) not in usual]
    others = [e.text for e in after_calls(run) if is_near(e.text) and plain(e.text) not in usual]
    if not said and (others or (run.problem and re.search(r": (raise|assert)\b", run.problem))):
        raise NeedsPerson(f"is this the message? {run.problem or others[0]}")
    expect(
        bool(said),
        expected="a line that says that this needs 2 GPUs",
        seen=repr(said[0].strip()) if said else ended(run, "no such line"),
        hint='if torch.cuda.device_count() >= 2: ... else: print("Model parallelism requires at '
        'least 2 GPUs.")',
    )


def baseline_problem(submission):
    try:
        return submission.program("baseline", gpus=0, finished=False).problem
    except (NeedsPerson, ProbeFailed):
        return None


def is_message(line):
    words = r"\b2\b|two|kaks|kahe|kaht|least|enough|requir|need|multi|more|only|vaja|vähemalt|skip"
    return bool(re.search(r"gpu|cuda|device|seade", line, re.I) and re.search(words, line, re.I))


def is_near(line):
    return bool(re.search(r"gpu|cuda|device|seade|parallel|paralleel|skip|\b2\b", line, re.I))


def plain(line):
    """Without its numbers, so that "GPUs: 1" is the same as "GPUs: 2"."""
    return re.sub(r"\d+", "#", line.strip())


# ------------------------------------------------------------------ shared


def models(run):
    """Calls of what has two layers or more, in order."""
    ways = run.trace.ways()
    return [c for c in run.calls if c.inputs and c.forward in ways and len(ways[c.forward][0]) > 1]


def rows(call):
    return call.inputs[0].shape[0] if call.inputs[0].shape else 0


def most_rows(run):
    """Rows of the largest batch that a model took, or that was put together from outputs."""
    joined = [one.output.shape[0] for one in run.joined if one.output.shape]
    return max([*map(rows, models(run)), *joined], default=0)


def batch_of(submission, run):
    """Rows of the whole batch; where all calls are alike, it may be part 1 that knows it."""
    own = most_rows(run)
    if any(rows(call) < own for call in models(run)):
        return own
    try:
        return max(own, most_rows(submission.program("baseline", gpus=1, finished=False)))
    except (NeedsPerson, ProbeFailed):
        return own


def chunks_of(run, batch):
    """The sizes of the chunks of each batch, one after the other: [[32, 32]]."""
    found, sizes = [], []
    for size in map(rows, models(run)):
        sizes = [*sizes, size] if size < batch else []
        if sum(sizes) >= batch:
            found.append(sizes)
            sizes = []
    return [*found, sizes] if sizes else found


def told(sizes):
    """Chunks in words: "2 chunks: 32 + 32 samples"."""
    shown = (" + ".join([*map(str, s[:FEW]), *(["…"] if len(s) > FEW else [])]) for s in sizes[:3])
    return "; ".join(f"{len(s)} chunks: {t} samples" for s, t in zip(sizes, shown, strict=False))


def after_calls(run):
    """What is printed when all models have run."""
    return [event for event in run.of(Kind.PRINT) if event.calls == len(run.calls)]


def moved(found):
    """The copies of a forward pass: "1 from cuda:0 to cuda:1 (practical4.py:30)"."""
    passes = (
        ", ".join(f"cuda:{t.source} to cuda:{t.target} ({t.line})" for t in crossing.moves[:FEW])
        or "none"
        for crossing in found
    )
    return "; ".join(dict.fromkeys(passes))


def none_between(run):
    """That nothing goes from GPU to GPU; perhaps it takes another way."""
    lines = [
        t.line for t in run.trace.transfers if (t.source, t.target) == (0, HOST) and t.bytes > SMALL
    ]
    return f"none; at {lines[0]} it goes to the CPU" if lines else "none"


def instead(run, seen):
    """What was seen with 2 GPUs, where it is not the message."""
    message = next((e.text for e in run.of(Kind.PRINT) if is_message(e.text)), None)
    said = f"with 2 GPUs it prints {message!r}" if message and not crossings(run) else seen
    return ended(run, said)


def ended(run, seen):
    """What was seen, and the mistake at which the program ended."""
    return f"{seen}: the program ends with {run.problem}" if run.problem else seen


def hint_of(run, otherwise):
    """What to do about the mistake at which the program ended, if it did."""
    return fix_for(run.problem or "") or otherwise


def name(device):
    return "the CPU" if device == HOST else f"cuda:{device}"
