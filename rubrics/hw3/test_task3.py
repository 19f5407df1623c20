"""Task 3: the model finds all GPUs and spreads its layers evenly over them."""

import pytest

from grader.checking.expect import NeedsPerson, expect
from grader.checking.observations import ProbeFailed

ON_CPU = 'Layers stay on the CPU: move each to its GPU where it is made, layer.to(f"cuda:{gpu}").'
USE_ALL = (
    "Ask torch.cuda.device_count() how many GPUs there are, and let every one of them hold layers."
)
ONE_MORE = (
    "Where the GPUs do not divide the depth, give one more layer to some of them: 7 layers on 3 "
    "GPUs are 3, 2 and 2."
)


@pytest.mark.criterion("t3.detect")
@pytest.mark.parametrize("gpus", [1, 2, 3, 5], ids=["1 GPU", "2 GPUs", "3 GPUs", "5 GPUs"])
def test_every_visible_gpu_holds_layers(submission, gpus):
    run = spread(submission, 30, gpus)
    expect(
        sorted(set(run.placement)) == list(range(gpus)),
        expected=f"30 layers on {devices(range(gpus))} where {visible(gpus)}",
        seen=devices(sorted(set(run.placement))),
        where=run.placed_at,
        hint=ON_CPU if -1 in run.placement else USE_ALL,
    )
    argument = run.gpu_argument
    if argument is not None and argument.by != "script":
        raise NeedsPerson(
            f"the class takes {argument.parameter!r}, and we cannot follow what the script passes "
            f"for it ({argument.text or 'no call found'}); does it use torch.cuda.device_count()?"
        )


@pytest.mark.criterion("t3.even")
@pytest.mark.parametrize(
    ("depth", "gpus"),
    [
        pytest.param(depth, gpus, id=f"{depth}/{gpus}")
        for depth, gpus in [(20, 2), (20, 5), (7, 3), (6, 4), (12, 5)]
    ],
)
def test_layers_are_spread_evenly(submission, depth, gpus):
    run = spread(submission, depth, gpus)
    layers = run.layers_per_gpu()
    expect(
        sum(layers) == depth,
        expected=f"{depth} layers in all, on {gpus} GPUs",
        seen=listed(layers),
        where=run.placed_at,
        hint=ON_CPU
        if -1 in run.placement
        else "Make and run exactly as many layers as depth says: "
        "count them with print(len(self.layers)).",
    )
    expect(
        max(layers) - min(layers) <= 1,
        expected=f"{depth} layers over {gpus} GPUs with counts that differ by at most 1",
        seen=listed(layers),
        where=run.placed_at,
        hint=USE_ALL if depth % gpus == 0 and not min(layers) else ONE_MORE,
    )


def spread(submission, depth, gpus):
    """Where the layers ran; where not all of them do, which GPU holds each.

    Task 3 asks how the layers are spread, and Task 4 whether the code runs.
    """
    try:
        run = submission.forward(depth=depth, gpus=gpus)
        if len(run.placement) == depth:
            return run
        failed = None
    except ProbeFailed as error:
        run, failed = None, error
    built = only_built(submission, depth, gpus)
    if built is not None:
        return built
    if failed is not None:
        raise failed
    return run


def only_built(submission, depth, gpus):
    """The model as it is built, where it has all its layers on GPUs; else None."""
    try:
        built = submission.build(depth=depth, gpus=gpus)
    except (ProbeFailed, NeedsPerson):
        return None
    on_gpus = [gpu for gpu in built.placement if gpu >= 0]
    return built if len(on_gpus) == len(built.placement) == depth else None


def devices(numbers):
    return ", ".join("the CPU" if n < 0 else f"cuda:{n}" for n in numbers) or "no layer that ran"


def listed(layers):
    return ", ".join(map(str, layers))


def visible(gpus):
    return "1 GPU is visible" if gpus == 1 else f"{gpus} GPUs are visible"
