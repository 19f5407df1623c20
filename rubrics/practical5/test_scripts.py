"""Practical 5: one GPU, then nn.DataParallel, each seen in runs of the scripts.

What is timed, split and printed is seen without data, which suits models of any size; that they
train, in their first steps with data.
"""

import re

import pytest

from grader.checking.expect import NeedsPerson, expect
from grader.checking.observations import ProbeFailed
from grader.program import Kind
from grader.trace import HOST, Phase

FEW = 3  # steps: two changes of the parameters
SMALL = {"width": 64}  # of the layers, where a constant says how wide they are
NEAR = 0.05  # of what the parameters change by: a batch in parts is rounded otherwise
APART = ("dropout", "bernoulli", "batch_norm")  # in ops of models that differ on parts of a batch
COUNTS = (3, 2, 5)  # GPUs; the first on which the script runs

# ------------------------------------------------------------------ part 1


@pytest.mark.criterion("p1.single")
def test_it_trains_on_one_gpu(submission):
    run = first_of(
        lambda: submission.program("single", gpus=1, steps=FEW, sizes=SMALL),
        lambda: submission.program("single", gpus=1, steps=FEW),
    )
    needs_a_model(run)
    used = {layer.device for call in models(run) for layer in run.trace.layers(call.forward)}
    expect(
        used == {0},
        expected="a model whose layers run on cuda:0",
        seen=f"its layers run on {names(used)}",
        hint='Move the model and the batch there: model.to("cuda:0"), x = x.to("cuda:0").',
    )
    trains(run)


@pytest.mark.criterion("p1.times")
def test_its_steps_are_timed_truly(submission):
    timed_truly(whole(submission, "single", 1), parallel=False)


# ------------------------------------------------------------------ part 2


@pytest.mark.criterion("p2.parallel")
@pytest.mark.parametrize("gpus", [2, 3, 5], ids=["2 GPUs", "3 GPUs", "5 GPUs"])
def test_every_gpu_has_a_replica(submission, gpus):
    run = split(submission, gpus)
    shares = rows_by_gpu(run)
    expect(
        set(shares) == set(range(gpus)),
        expected=f"nn.DataParallel with a part of the batch on each of {gpus} GPUs",
        seen=shown(run),
        hint=hint(run),
    )


@pytest.mark.criterion("p2.trains")
def test_gradients_of_all_replicas_come_together(submission):
    run, how = anywhere(lambda gpus: trained(submission, gpus))
    shares = rows_by_gpu(run)
    expect(
        len(shares) > 1,
        expected="replicas on several GPUs, whose gradients come together on one",
        seen="" if len(shares) > 1 else shown(run),
        hint=hint(run),
    )
    back = {(edge.source, edge.target) for edge in run.trace.edges(Phase.BACKWARD)}
    homes = [gpu for gpu in shares if {(other, gpu) for other in shares if other != gpu} <= back]
    [outputs, *_] = (call.outputs for call in run.calls if call.name == "DataParallel")
    home = [data.device for data in outputs if data.device in homes][:1] or homes[:1]
    expect(
        bool(home),
        expected="gradients of every replica, copied to one GPU",
        seen=f"on {len(shares)} GPUs, all gradients come together on {names(home)}"
        if home
        else "no gradients come from some of them",
        hint="Compute the loss from what nn.DataParallel returns, and call loss.backward().",
    )
    trains(run)
    compare(submission, run, how)


@pytest.mark.criterion("p2.times")
def test_its_steps_are_timed_truly_too(submission):
    timed_truly(anywhere(lambda gpus: whole(submission, "dp", gpus)), parallel=True)


@pytest.mark.criterion("p2.memory")
def test_memory_of_every_gpu_is_measured(submission):
    run = anywhere(lambda gpus: whole(submission, "dp", gpus))
    asked = {int(event.text) for event in run.of(Kind.MEMORY)}
    used = set(run.trace.used())
    if len(used) < 2 and not asked >= set(range(run.gpus)):
        expect(
            False,
            expected="training on several GPUs, and the memory of each",
            seen=f"training on {names(used) or 'the CPU'}, and the memory of "
            f"{names(asked) or 'none'}",
            hint=hint(run),
        )
    missing = used - asked
    if missing:
        raise NeedsPerson(
            f"{run.file} does not ask for the memory of {names(missing)}; does the report tell it, "
            "from nvidia-smi perhaps?"
        )
    expect(True, expected="memory of every GPU", seen=f"it asks for the memory of {names(asked)}")


# ------------------------------------------------------------------ part 4


@pytest.mark.criterion("p4.print")
def test_device_and_shape_are_printed(submission):
    run = anywhere(lambda gpus: whole(submission, "dp", gpus))
    lines = prints(run) or prints(one_of_its_own(submission, run))
    if not lines and (near := nearly(run)):
        raise NeedsPerson(f"{run.file} prints {near[0]!r}; is this the print of Part 4?")
    expect(
        bool(lines),
        expected="a print of the device and the shape of the batch, in the training loop or in "
        "forward()",
        seen="; ".join(map(repr, lines[:3])) or "no line with a GPU and a shape",
        hint="Add it, and leave it in the script that you hand in: "
        'print(f"Inside model on device {x.device}, shape: {x.shape}")',
    )


def one_of_its_own(submission, run):
    """The script that was written for Part 4, where there is one; else the same."""
    try:
        return anywhere(lambda gpus: whole(submission, "shown", gpus))
    except ProbeFailed:
        return run


def prints(run):
    """Lines with a GPU and a shape that begins with as many rows as a model was given."""
    rows = rows_of_calls(run)
    lines = (line.strip() for line in run.printed.split("\n") if re.search(r"\bcuda:\d", line))
    told = [x for x in lines if rows & set(map(int, re.findall(r"[\[(] ?(\d+)\b", x)))]
    return list(dict.fromkeys(told))


def nearly(run):
    """Lines with a GPU and such a number, in another form."""
    rows = "|".join(map(str, sorted(rows_of_calls(run))))
    pattern = rf"^.*(?:gpu|cuda|device).*(?<![\d.:])(?:{rows})(?![\d.:]).*$"
    return re.findall(pattern, run.printed, re.MULTILINE | re.IGNORECASE) if rows else []


def rows_of_calls(run):
    return {call.inputs[0].shape[0] for call in run.calls if call.inputs and call.inputs[0].shape}


# ------------------------------------------------------------------ runs


def first_of(*ways):
    """The first of these runs that comes to its end; where none does, why the last does not."""
    for way in ways[:-1]:
        try:
            return way()
        except (ProbeFailed, NeedsPerson):
            continue
    return ways[-1]()


def whole(submission, script, gpus):
    """To its end without data; with, where it looks at its numbers."""
    return first_of(
        lambda: submission.program(script, gpus=gpus, dry=True),
        lambda: submission.program(script, gpus=gpus),
    )


def split(submission, gpus):
    """The first step without data; all of it where nn.DataParallel comes later."""
    run = first_of(
        lambda: submission.program("dp", gpus=gpus, steps=1, dry=True),
        lambda: submission.program("dp", gpus=gpus, steps=1),
    )
    later = not rows_by_gpu(run) and comes_later(submission)
    return whole(submission, "dp", gpus) if later else run


def trained(submission, gpus):
    """The first steps with data, and how they were run; all of it as in `split`."""
    run, how = first_of(
        *(
            lambda how=how: (submission.program("dp", gpus=gpus, **how), how)
            for how in ({"steps": FEW, "sizes": SMALL}, {"steps": FEW})
        )
    )
    later = not rows_by_gpu(run) and comes_later(submission)
    return (submission.program("dp", gpus=gpus), {}) if later else (run, how)


def comes_later(submission):
    """Whether nn.DataParallel makes replicas at all; NeedsPerson where something else may do."""
    run = anywhere(lambda gpus: whole(submission, "dp", gpus))
    if rows_by_gpu(run):
        return True
    if any(call.replica for call in run.calls):
        raise NeedsPerson(f"{run.file} makes replicas without a model in nn.DataParallel")
    if run.options:
        options = ", ".join(run.options)
        raise NeedsPerson(f"without its options {options}, {run.file} does this: {shown(run)}")
    needs_a_model(run)
    return False


def anywhere(run):
    """The run on the first number of GPUs on which it does not fail."""
    first = None
    for gpus in COUNTS:
        try:
            return run(gpus)
        except ProbeFailed as error:
            first = first or error
    raise first


# ------------------------------------------------------------------ what they did


def rows_by_gpu(run):
    """How nn.DataParallel split a batch; empty where it made no replicas."""
    return max(run.splits(), key=len, default={})


def needs_a_model(run):
    if not any(run.trace.layers(call.forward) for call in run.calls):
        raise NeedsPerson(f"{run.file} calls no model of torch.nn; what does it train?")


def models(run):
    """Calls in which a layer ran, replicas left out: a loss is a call, too."""
    return [call for call in run.calls if not call.replica and run.trace.layers(call.forward)]


def trains(run):
    """Optimizers step, and parameters are other ones afterwards."""
    calls = [n for n, event in enumerate(run.events) if event[:2] == (Kind.CALL, "DataParallel")]
    steps = [event for event in run.events[min(calls, default=0) :] if event.kind is Kind.STEP]
    expect(
        bool(steps),
        expected="an optimizer that makes a step after each backward pass",
        seen="" if steps else "no step of an optimizer",
        hint="optimizer.zero_grad(), loss.backward(), optimizer.step(), in every round.",
    )
    if len(steps) == 1:
        raise NeedsPerson(f"{run.file} makes one step only ({steps[0].line}); does it train?")
    expect(
        len({step.text for step in steps}) > 1,
        expected="parameters that change in training",
        seen=f"{len(steps)} steps, and the parameters change"
        if len({step.text for step in steps}) > 1
        else "parameters that stay what they are",
        hint="Give the optimizer the parameters of the model that you call.",
    )


def compare(submission, run, how):
    """On one GPU the parameters must become the same, up to rounding."""
    if any(word in op.name for op in run.trace.ops for word in APART):
        return
    try:
        alone = submission.program("dp", gpus=1, **how)
    except (ProbeFailed, NeedsPerson):
        return
    if shapes(alone) != shapes(run):
        return  # as many rows for every GPU, say
    pairs = list(zip(values(alone), values(run), strict=False))[:FEW]
    change = max((abs(value - pairs[0][0]) for value, _ in pairs), default=0.0)
    if any(abs(one - other) > NEAR * change for one, other in pairs):
        raise NeedsPerson(
            f"with the same random numbers, {run.file} trains to other parameters on {run.gpus} "
            "GPUs than on 1; is that meant (another learning rate, say)?"
        )
    seen = f"the parameters become those of a run on 1 GPU ({len(pairs)} steps)"
    expect(True, expected="the same parameters as on 1 GPU", seen=seen)


def shapes(run):
    return [call.inputs[0].shape for call in models(run) if call.inputs][:FEW]


def values(run):
    return [step.value for step in run.of(Kind.STEP) if step.value is not None]


def timed_truly(run, *, parallel):
    """The clock is read when the GPU is done, in most steps with nn.DataParallel or without."""
    needs_a_model(run)
    every = run.timed_steps()
    own = [step for step in every if ("DataParallel" in step.called) == parallel]
    steps = own or every
    true = sum(step.true for step in steps)
    if not steps and re.search(r"time|\bsec|\d ?m?s\b", run.printed, re.IGNORECASE):
        raise NeedsPerson(f"{run.file} prints times; how are they measured?")
    expect(
        bool(steps),
        expected="a clock that is read after each training step",
        seen="" if steps else "no time is measured",
        hint="start = time.time() before the step, time.time() - start after it.",
    )
    expect(
        2 * true > len(steps),
        expected="a clock that is read when the GPU has done its work",
        seen=f"{steps[0].line} reads the clock, after waiting for the GPU in {true} of "
        f"{len(steps)} steps",
        hint="Calls return before the GPU is done: torch.cuda.synchronize() before time.time(), at "
        "both ends.",
    )


def shown(run):
    shares = rows_by_gpu(run)
    if shares:
        return ", ".join(f"{rows} rows on cuda:{gpu}" for gpu, rows in sorted(shares.items()))
    if not models(run):
        return "no model of torch.nn is called"
    last = models(run)[-1]
    used = names({layer.device for layer in run.trace.layers(last.forward)})
    calls = (e for e in run.events if e.kind is Kind.CALL and e.text == last.name)
    line = next((f" ({event.line})" for event in calls), "")
    if last.name == "DataParallel":
        return f"nn.DataParallel makes no replicas, all of the batch is on {used}{line}"
    return f"{last.name} is called without nn.DataParallel, on {used}{line}"


def hint(run):
    called = {call.name for call in run.calls}
    if "DistributedDataParallel" in called:
        return (
            "DistributedDataParallel needs a process for each GPU; this practical is about "
            "nn.DataParallel(model)."
        )
    if "DataParallel" in called:
        return "Leave device_ids out: nn.DataParallel(model) takes all GPUs that there are."
    return "Wrap the model, model = nn.DataParallel(model), and call what you get: model(x)."


def names(devices):
    return ", ".join(
        "the CPU" if device == HOST else f"cuda:{device}" for device in sorted(devices)
    )
