"""Task 4: the modified model runs and trains at DEPTH 20 on 2 and on 5 GPUs."""

import math

import pytest

from grader.checking.expect import NeedsPerson, expect


@pytest.mark.criterion("t4.run")
@pytest.mark.parametrize("gpus", [2, 5], ids=["2 GPUs", "5 GPUs"])
def test_runs_and_trains(submission, gpus):
    run = submission.forward(depth=20, gpus=gpus)
    training = submission.train(depth=20, gpus=gpus)
    expect(
        set(run.placement) == set(range(gpus)),
        expected=f"all {gpus} GPUs to hold layers",
        seen=f"layers per GPU: {', '.join(map(str, run.layers_per_gpu()))}",
        where=run.placed_at,
        hint="A GPU without layers is idle memory: spread the layers over all of them.",
    )
    expect(
        run.numbers.right is not False,
        expected="the output of 20 layers, each run once and in order",
        seen=run.numbers.problem or f"right numbers ({run.numbers.how})",
        where=run.numbers.where,
        hint=run.numbers.hint,
    )
    expect(
        all(map(math.isfinite, training.losses)),
        expected="a loss that stays a finite number",
        seen=f"{len(training.losses)} training steps with losses "
        + ", ".join(f"{loss:.3g}" for loss in training.losses),
        where=training.suspects,
        hint="Print the loss and the output of each layer in every step: what grows without end?",
    )
    expect(
        training.changed,
        expected="training steps that change the parameters",
        seen="" if training.changed else "steps that changed nothing",
        where=training.suspects,
        hint="The layers that run must be those of the model, and no gradient be cut off: no "
        "deepcopy(), no detach(), no torch.no_grad().",
    )
    expect(
        training.numbers.right is not False,
        expected="the losses and gradients that these layers give",
        seen=training.numbers.problem or "",
        where=training.numbers.where,
        hint=training.numbers.hint
        or "Train the same layers in the same order as forward() runs them, and leave gradients as "
        "they come.",
    )
    script = submission.run_script(depth=20, gpus=5)  # one run tells: it takes as long as all this
    if script.fault is not None:
        raise NeedsPerson(
            f"the class runs and trains, but its script does not: {script.fault}",
            hint=script.hint,
        )
    for numbers in (run.numbers, training.numbers):
        if numbers.right is None:
            raise NeedsPerson(
                f"it runs and trains, but its numbers could not be checked: {numbers.problem}",
                where=numbers.where,
            )
