"""A trace as text: which GPU ran which layers, what moved between devices, peak memory."""

from __future__ import annotations

from collections.abc import Iterator

from grader.processes import Place, Run
from grader.trace import HOST, Edge, Layer, Phase, Trace

_RULE = "-" * 72


def summary(trace: Trace) -> str:
    """Some lines for a terminal of 80 columns, without a final newline."""
    lines = [f"-- virtual GPUs: {trace.devices} {_RULE}"[:72]]
    lines += _layers(trace)
    lines += _transfers(trace)
    if trace.truncated:
        lines.append("The run was long: single ops are missing above, sums are complete.")
    return "\n".join([*lines, _RULE])


def run_summary(run: Run) -> str:
    """The same for a run of several processes: who used which GPU, and what moved."""
    if len(run.processes) == 1 and run.processes[0].rank is None:
        return summary(run.processes[0].trace)
    count = max((process.trace.devices for process in run.processes), default=0)
    lines = [f"-- virtual GPUs: {count}, processes: {len(run.processes)} {_RULE}"[:72]]
    lines += _processes(run)
    lines += _moves(run)
    for rank in run.missing():
        lines.append(f"rank {rank} left no trace: it used no GPU, or was killed.")
    if any(process.trace.truncated for process in run.processes):
        lines.append("The run was long: single ops are missing above, sums are complete.")
    return "\n".join([*lines, _RULE])


def _processes(run: Run) -> Iterator[str]:
    """One line per process and GPU that it used."""
    yield f"{'':<15}{'GPU':<8}{'peak memory':>12}  layers it ran in the first step"
    for process in run.processes:
        layers = _first_step(process.trace)
        for gpu in process.trace.used():
            peak = _size(process.trace.peak_memory[gpu])
            yield f"{process.name:<15}{_name(gpu):<8}{peak:>12}  {_ran(layers, gpu)}"


def _moves(run: Run) -> Iterator[str]:
    """One line per pair of devices, then one per rank for what all ranks did together."""
    edges = sorted(run.edges(), key=lambda e: HOST in (e.source.device, e.target.device))
    if edges:
        yield f"{'transfers':<42}{'copies':>8}{'bytes':>14}"
    for edge in edges:
        pair = f"{_place(edge.source)} -> {_place(edge.target)}"
        yield f"{pair:<42}{edge.copies:>8}{_size(edge.bytes):>14}"
    for process in run.processes:
        together = process.trace.collectives()
        if together:
            told = ", ".join(f"{name} {count}x" for name, count in together.items())
            yield f"{process.name} with others: {told}"


def _place(place: Place) -> str:
    return _name(place.device) if place.rank is None else f"rank {place.rank} {_name(place.device)}"


def _layers(trace: Trace) -> Iterator[str]:
    """One line per device, from the first training step."""
    layers = _first_step(trace)
    yield f"{'GPU':<8}{'peak memory':>12}  layers it ran in the first step"
    for gpu in range(trace.devices):
        yield f"{_name(gpu):<8}{_size(trace.peak_memory[gpu]):>12}  {_ran(layers, gpu)}"
    if any(layer.device == HOST for layer in layers):
        yield f"{_name(HOST):<8}{'':>12}  {_ran(layers, HOST)}"


def _first_step(trace: Trace) -> list[Layer]:
    """What ran before the first backward(): one model, or several that the script chains itself."""
    start = next((i for i, op in enumerate(trace.ops) if op.phase is Phase.BACKWARD), None)
    if start is None:
        return trace.layers()
    early = {op.forward for op in trace.ops[:start]}
    return [layer for n in trace.forwards() if n in early for layer in trace.layers(n)]


def _ran(layers: list[Layer], device: int) -> str:
    names = [layer.name or "?" for layer in layers if layer.device == device]
    if not names:
        return "none"
    shown = names if len(names) <= 4 else [*names[:2], "...", names[-1]]
    return f"{len(names)}: {', '.join(shown)}"


def _transfers(trace: Trace) -> Iterator[str]:
    """One line per pair of devices, with copies by phase."""
    phases = {phase: {(e.source, e.target): e.count for e in trace.edges(phase)} for phase in Phase}
    edges = sorted(trace.edges(), key=lambda e: (HOST in (e.source, e.target), e))
    if not edges:
        yield "Nothing moved between devices."
        return
    yield f"{'transfers':<20}{'copies':>8}{'forward':>9}{'backward':>10}{'other':>7}{'bytes':>14}"
    for edge in edges:
        pair = (edge.source, edge.target)
        forward, backward, other = (phases[phase].get(pair, 0) for phase in Phase)
        yield (
            f"{_arrow(edge):<20}{edge.count:>8}{forward:>9}{backward:>10}{other:>7}"
            f"{_size(edge.bytes):>14}"
        )


def _arrow(edge: Edge) -> str:
    return f"{_name(edge.source)} -> {_name(edge.target)}"


def _name(device: int) -> str:
    return "cpu" if device == HOST else f"cuda:{device}"


def _size(size: int) -> str:
    """Bytes for people, in the units of torch.cuda.memory_summary: "384.1 MiB"."""
    amount = float(size)
    for unit in ("B", "KiB", "MiB"):
        if amount < 1024:
            return f"{amount:.0f} B" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} GiB"
