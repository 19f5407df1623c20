"""What is wrong with numbers that are not right, where that can be told: words for the student."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from grader.checking.observations import Numbers, listed
from grader.judge.answers import BuildAnswer
from grader.trace import Trace

SAME_OUTPUT = "two different inputs give the same output"

# What to try.
ONCE = "Run every layer exactly once, in order, each on the output of the one before it."
X_FIRST = "Begin with x, the input of forward()."
NO_RELUS = "Call every ReLU, too: a layer without one is not what it was."
COARSE = "Digits are lost on the way: leave .half(), float16 and bfloat16 out."


def of_output(verdict: Numbers, facts: BuildAnswer, trace: Trace) -> Numbers:
    """The same of a forward pass, with what its layers did and the lines that may be wrong."""
    if verdict.right is not False:
        return verdict
    own = {name for name, shape in facts.parameters if len(shape) > 1}
    layers = [name for name, _ in facts.modules if f"{name}.weight" in own]
    odd = of_layers(layers, [layer.name for layer in trace.layers()])
    lines = facts.places.coarse if verdict.hint == COARSE else ()
    if odd or verdict.hint == NO_RELUS:
        lines = tuple(trace.lines_of_layers())
    return replace(odd or verdict, how=verdict.how, where=listed(lines or facts.places.forward))


def of_layers(layers: Sequence[str], ran: Sequence[str | None]) -> Numbers | None:
    """What is odd about the order in which layers ran; None where nothing is, or is known.

    `layers` are the model's, by their paths and in the order in which they were made.
    """
    times = Counter(name for name in ran if name in layers)
    if not times:
        return None
    never = [name for name in layers if not times[name]]
    again = [name for name in layers if times[name] > 1]
    problems = [f"runs {_names(again)} more than once"] if again else []
    problems += [f"never runs {_names(never)}"] if never else []
    order = [name for name in ran if name is not None and name in layers]
    if not problems and order != list(layers):
        first = next(ran for ran, made in zip(order, layers, strict=True) if ran != made)
        problems = [f"runs {in_python(first)} before layers that were made earlier"]
    if not problems:
        return None
    return Numbers(False, "", f"forward() {' and '.join(problems)}", ONCE)


def of_gradients(lost: Sequence[str]) -> Numbers | None:
    """What to say where no gradient reaches these parameters."""
    if not lost:
        return None
    return Numbers(
        False,
        "",
        f"no gradient reaches {_names(lost)}",
        "Gradients must come back from the loss to every layer: no detach(), no .data, no "
        "torch.no_grad() and no copy of a layer on the way.",
    )


def in_python(path: str) -> str:
    """A module as the class writes it: layers.3.0 is self.layers[3][0]."""
    return "self" + re.sub(r"\.(\d+)", r"[\1]", f".{path}")


def _names(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    return in_python(paths[0]) + more
