"""What the observations of a score show, ready to draw: one `Run` per number of GPUs.

Observations come from student processes and are only drawn here, so whatever has another
shape than expected is left out rather than refused: a report must always come into being.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from grader.records import Json

CPU = -1
MAX_LAYERS, MAX_GPUS, MAX_STEPS, MAX_RUNS = 240, 128, 2000, 4


@dataclass(frozen=True)
class Run:
    """A model of `depth` layers on `gpus` GPUs.

    `placement` is the GPU of each layer in order of execution (`CPU` for none of them);
    `transfers` and `to_calls` count one forward pass; `losses` are per training step;
    `memory` is the peak in bytes per GPU while training; `errors` says what went wrong.
    """

    depth: int
    gpus: int
    placement: tuple[int, ...] = ()
    transfers: int | None = None
    to_calls: int | None = None
    trained: bool | None = None
    losses: tuple[float, ...] = ()
    memory: tuple[int, ...] = ()
    errors: tuple[str, ...] = ()

    @property
    def per_gpu(self) -> list[int]:
        """Layers on each GPU, zeros included."""
        count = Counter(self.placement)
        return [count[gpu] for gpu in range(self.gpus)]

    @property
    def on_cpu(self) -> int:
        return self.placement.count(CPU)

    @property
    def usable_losses(self) -> tuple[float, ...]:
        """The losses before the first that is NaN, infinite or beyond all drawing."""
        return tuple(takewhile(lambda loss: abs(loss) < 1e30, self.losses))


def runs(observations: Iterable[Json]) -> list[Run]:
    """The runs worth a picture: the largest depth that was trained, on every number of GPUs.

    Where nothing was trained, the largest depth that was tried at all.
    """
    seen = [(size, o) for o in observations if (size := _size(o)) is not None]
    trained = [depth for (depth, _), o in seen if o.get("probe") == "train"]
    depth = max(trained or [depth for (depth, _), _ in seen], default=0)
    counts = sorted({gpus for (d, gpus), _ in seen if d == depth})[:MAX_RUNS]
    return [_run(depth, gpus, [o for s, o in seen if s == (depth, gpus)]) for gpus in counts]


def _run(depth: int, gpus: int, here: list[Json]) -> Run:
    forward = _best(here, "forward")
    train = _best(here, "train")
    return Run(
        depth=depth,
        gpus=gpus,
        placement=_placement(forward.get("placement"), gpus),
        transfers=_count(_table(forward.get("transfers")).get("gpu_to_gpu")),
        to_calls=_count(forward.get("to_calls")),
        trained=train.get("trained") if isinstance(train.get("trained"), bool) else None,
        losses=_losses(train.get("losses")),
        memory=tuple(_count(m) or 0 for m in _list(train.get("memory_bytes"))[:MAX_GPUS]),
        errors=_errors(forward, train),
    )


def _best(observations: list[Json], probe: str) -> Json:
    """The first observation of a probe that went well, else the first one, else nothing."""
    of_probe = [o for o in observations if o.get("probe") == probe]
    return next((o for o in of_probe if not o.get("error")), of_probe[0] if of_probe else {})


def _errors(*observations: Json) -> tuple[str, ...]:
    texts = (o.get("error") for o in observations)
    return tuple(dict.fromkeys(text for text in texts if isinstance(text, str) and text))


def _size(observation: Json) -> tuple[int, int] | None:
    depth, gpus = _count(observation.get("depth")), _count(observation.get("gpus"))
    return (depth, gpus) if depth and gpus and gpus <= MAX_GPUS else None


def _placement(value: Any, gpus: int) -> tuple[int, ...]:
    layers = _list(value)[:MAX_LAYERS]
    fits = all(type(gpu) is int and CPU <= gpu < gpus for gpu in layers)
    return tuple(layers) if fits else ()


def _losses(value: Any) -> tuple[float, ...]:
    losses = _list(value)[:MAX_STEPS]
    fits = all(type(loss) is float or _count(loss) is not None for loss in losses)
    largest = 1e300  # a whole number beyond every float is as unusable
    return tuple(float(min(loss, largest)) for loss in losses) if fits else ()


def _count(value: Any) -> int | None:
    return value if type(value) is int and value >= 0 else None


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


def _table(value: Any) -> Json:
    return value if isinstance(value, dict) else {}
