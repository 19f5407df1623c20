"""What the devices did: ops, transfers, memory and losses, in order. Questions are methods.

Standard library only; a trace is written by `grader.vgpu` inside the student's process and
read anywhere. Devices are GPU numbers; the host is `HOST`. Sizes are in bytes.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, NamedTuple

HOST = -1

#: Ops that do the work of one layer: whatever multiplies activations by weights.
LAYER_OPS = frozenset(
    f"aten::{name}"
    for name in (
        *("addmm", "mm", "bmm", "baddbmm", "mv", "addmv", "linear", "_addmm_activation"),
        *("convolution", "convolution_overrideable", "_convolution"),
        *("embedding", "_thnn_fused_lstm_cell", "_thnn_fused_gru_cell"),
        "_scaled_dot_product_flash_attention_for_cpu",
    )
)


class Phase(StrEnum):
    """When something happened, seen from the training step."""

    FORWARD = "forward"  # inside a module's forward
    BACKWARD = "backward"  # inside autograd's backward
    OTHER = "other"  # building, feeding, optimising, printing


class Op(NamedTuple):
    """One operation. `layer` is the path of the innermost module at work ("layers.3.0").

    `name` is PyTorch's, such as "aten::mm". `line` is "file:number" of the code that asked for it:
    of layers; else mostly None.
    """

    name: str
    device: int
    layer: str | None
    phase: Phase
    forward: int | None  # number of the forward pass it belongs to
    line: str | None = None


class Transfer(NamedTuple):
    """One copy between devices, of which the host is HOST (-1), from `source` to `target`.

    `line` is "file:number" of the code that asked for it, `forward` the forward pass of an
    nn.Module in which it was; None outside.
    """

    source: int
    target: int
    bytes: int
    line: str | None
    phase: Phase
    forward: int | None


class Message(NamedTuple):
    """What one process said to others through torch.distributed: a collective, or one half of
    a "send" and "recv" pair, where `peer` is the other one's rank. `bytes` are those of the tensors
    written or sent here.
    """

    name: str
    device: int
    peer: int | None
    bytes: int
    phase: Phase


class Unlisted(NamedTuple):
    """Transfers that were only counted, because the run was too long to list them all."""

    source: int
    target: int
    phase: Phase
    copies: int
    bytes: int


@dataclass(frozen=True, order=True)
class Edge:
    """All transfers from one device to another."""

    source: int
    target: int
    count: int
    bytes: int


class Layer(NamedTuple):
    """One layer as it ran."""

    name: str | None
    device: int


class Way(NamedTuple):
    """How one forward pass went: the GPU of each layer in order, copies, calls of `.to()`."""

    placement: tuple[int, ...]
    gpu_to_gpu: int
    host_to_gpu: int
    gpu_to_host: int
    to_calls: int


@dataclass
class Trace:
    """A record of one run on `devices` GPUs.

    `to_calls` counts `.to()`, `.cuda()` and `.cpu()` calls on tensors per forward pass,
    whether or not anything moved. `truncated` says that single ops are missing because the
    run was too long to keep them all; edges and memory are complete all the same.
    """

    devices: int
    ops: list[Op] = field(default_factory=list)
    transfers: list[Transfer] = field(default_factory=list)
    to_calls: Counter[int] = field(default_factory=Counter)
    peak_memory: list[int] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    truncated: bool = False
    unlisted: list[Unlisted] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)

    # ------------------------------------------------------------------ questions

    def forwards(self) -> list[int]:
        """Numbers of the forward passes in which at least one layer ran."""
        return sorted({op.forward for op in self._layer_ops() if op.forward is not None})

    def layers(self, forward: int | None = None) -> list[Layer]:
        """The layers of one forward pass (the first, unless told), in order of execution."""
        chosen = self._pass(forward)
        return [Layer(op.layer, op.device) for op in self._layer_ops() if op.forward == chosen]

    def placement(self, forward: int | None = None) -> list[int]:
        """The GPU of each layer, in order of execution; `HOST` for a layer on the CPU."""
        return [layer.device for layer in self.layers(forward)]

    def layers_per_gpu(self, forward: int | None = None) -> list[int]:
        """Layer counts, one entry per visible GPU, zeros included."""
        count = Counter(self.placement(forward))
        return [count[gpu] for gpu in range(self.devices)]

    def gpu_to_gpu(self, forward: int | None = None) -> int:
        """Copies from one GPU to another during one forward pass."""
        return sum(HOST not in (t.source, t.target) for t in self._during(forward))

    def host_to_gpu(self, forward: int | None = None) -> int:
        return sum(t.source == HOST for t in self._during(forward))

    def gpu_to_host(self, forward: int | None = None) -> int:
        return sum(t.target == HOST for t in self._during(forward))

    def calls_of_to(self, forward: int | None = None) -> int:
        """How often `.to()` was called on a tensor during one forward pass."""
        chosen = self._pass(forward)
        return 0 if chosen is None else self.to_calls[chosen]

    def lines_of_layers(self, forward: int | None = None) -> Counter[str]:
        """The lines at which layers ran during one forward pass, and how many at each."""
        chosen = self._pass(forward)
        return Counter(op.line for op in self._layer_ops() if op.forward == chosen and op.line)

    def lines_of_copies(self, forward: int | None = None) -> Counter[str]:
        """The lines that copied from one GPU to another during one forward pass, and how often."""
        copies = (t for t in self._during(forward) if HOST not in (t.source, t.target))
        return Counter(t.line for t in copies if t.line)

    def with_lines(self, name: Callable[[str], str | None]) -> Trace:
        """The same with each line called something else: "file:number" in, a name or None out."""
        named = functools.cache(name)
        return replace(
            self,
            ops=[op._replace(line=named(op.line)) if op.line else op for op in self.ops],
            transfers=[t._replace(line=named(t.line)) if t.line else t for t in self.transfers],
        )

    def ways(self) -> dict[int, Way]:
        """By forward pass in which a layer ran: where its layers ran, and what was copied."""
        found: dict[int, Way] = {}
        layers: dict[int, list[int]] = {}
        for op in self._layer_ops():
            if op.forward is not None:
                layers.setdefault(op.forward, []).append(op.device)
        copies: dict[int, list[Transfer]] = {}
        for t in self.transfers:
            if t.forward is not None and t.phase is Phase.FORWARD:
                copies.setdefault(t.forward, []).append(t)
        for number, placement in sorted(layers.items()):
            moved = copies.get(number, [])
            from_host = sum(t.source == HOST for t in moved)
            to_host = sum(t.target == HOST for t in moved)
            between = len(moved) - from_host - to_host
            calls = self.to_calls[number]
            found[number] = Way(tuple(placement), between, from_host, to_host, calls)
        return found

    def only(self, forwards: Sequence[int]) -> Trace:
        """The layers and copies of some forward passes; all else is left out."""
        wanted = set(forwards)
        return Trace(
            self.devices,
            [op for op in self._layer_ops() if op.forward in wanted],
            [t for t in self.transfers if t.forward in wanted and t.phase is Phase.FORWARD],
            Counter({number: self.to_calls[number] for number in wanted}),
            peak_memory=self.peak_memory,
            truncated=self.truncated,
        )

    def beginning(self, most: int) -> Trace:
        """The same with at most so many ops and transfers listed; the others are counted."""
        rest = {(one.source, one.target, one.phase): one for one in self.unlisted}
        for t in self.transfers[most:]:
            key = t.source, t.target, t.phase
            known = rest.get(key, Unlisted(*key, 0, 0))
            rest[key] = Unlisted(*key, known.copies + 1, known.bytes + t.bytes)
        return replace(
            self,
            ops=self.ops[:most],
            transfers=self.transfers[:most],
            unlisted=list(rest.values()),
            truncated=self.truncated or max(len(self.ops), len(self.transfers)) > most,
        )

    def used(self) -> list[int]:
        """The GPUs that ran an op or held memory."""
        worked = {op.device for op in self.ops} | {message.device for message in self.messages}
        return [
            gpu
            for gpu in range(self.devices)
            if gpu in worked or (gpu < len(self.peak_memory) and self.peak_memory[gpu])
        ]

    def collectives(self) -> dict[str, int]:
        """How often this process took part in each collective; sends and receives are edges."""
        return dict(Counter(m.name for m in self.messages if m.peer is None))

    def edges(self, phase: Phase | None = None) -> list[Edge]:
        """Transfers summed by (source, target), of one phase or of the whole run."""
        count: Counter[tuple[int, int]] = Counter()
        size: Counter[tuple[int, int]] = Counter()
        for t in self.transfers:
            if phase is None or t.phase is phase:
                count[t.source, t.target] += 1
                size[t.source, t.target] += t.bytes
        for rest in self.unlisted:
            if phase is None or rest.phase is phase:
                count[rest.source, rest.target] += rest.copies
                size[rest.source, rest.target] += rest.bytes
        return [Edge(*key, count[key], size[key]) for key in sorted(count)]

    def _pass(self, forward: int | None) -> int | None:
        if forward is not None:
            return forward
        return next((op.forward for op in self._layer_ops() if op.forward is not None), None)

    def _layer_ops(self) -> list[Op]:
        return [op for op in self.ops if op.name in LAYER_OPS and op.phase is not Phase.BACKWARD]

    def _during(self, forward: int | None) -> list[Transfer]:
        chosen = self._pass(forward)
        return [
            t
            for t in self.transfers
            if t.forward == chosen and chosen is not None and t.phase is Phase.FORWARD
        ]

    # ------------------------------------------------------------------ JSON

    def to_json(self) -> dict[str, Any]:
        return {
            "devices": self.devices,
            "ops": [[*op] if op.line else [*op[:-1]] for op in self.ops],
            "transfers": [[*t] for t in self.transfers],
            "to_calls": {str(k): n for k, n in self.to_calls.items()},
            "peak_memory": self.peak_memory,
            "losses": self.losses,
            "truncated": self.truncated,
            "unlisted": [[*rest] for rest in self.unlisted],
            "messages": [[*message] for message in self.messages],
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Trace:
        """Rebuild a trace; ValueError where the data has another shape. It is not trusted."""
        try:
            return cls(
                devices=whole(data["devices"]),
                ops=[_op(row) for row in data["ops"]],
                transfers=[_transfer(row) for row in data["transfers"]],
                to_calls=Counter({int(k): whole(n) for k, n in data["to_calls"].items()}),
                peak_memory=[whole(n) for n in data["peak_memory"]],
                losses=[float(x) for x in data["losses"]],
                truncated=bool(data["truncated"]),
                unlisted=[_unlisted(row) for row in data.get("unlisted", [])],
                messages=[_message(row) for row in data.get("messages", [])],
            )
        except (KeyError, TypeError, AttributeError, OverflowError) as error:
            raise ValueError(f"not a trace: {error!r}") from error


def whole(value: Any) -> int:
    """ValueError for what is no whole number."""
    if type(value) is not int:
        raise ValueError(f"expected a whole number, found {value!r}")
    return value


def _text(value: Any) -> str | None:
    if value is not None and type(value) is not str:
        raise ValueError(f"expected text, found {value!r}")
    return value


def number(value: Any) -> int | None:
    return None if value is None else whole(value)


def _op(row: Any) -> Op:
    name, device, layer, phase, forward, *line = row
    [line] = line or [None]
    return Op(str(name), whole(device), _text(layer), Phase(phase), number(forward), _text(line))


def _transfer(row: Any) -> Transfer:
    source, target, size, line, phase, forward = row
    return Transfer(
        whole(source),
        whole(target),
        whole(size),
        _text(line),
        Phase(phase),
        number(forward),
    )


def _unlisted(row: Any) -> Unlisted:
    source, target, phase, copies, size = row
    return Unlisted(whole(source), whole(target), Phase(phase), whole(copies), whole(size))


def _message(row: Any) -> Message:
    name, device, peer, size, phase = row
    return Message(str(name), whole(device), number(peer), whole(size), Phase(phase))
