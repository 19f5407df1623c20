"""Durations as text for people."""

from __future__ import annotations

_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))


def duration(seconds: float) -> str:
    """Three figures and a unit: "1.21 ms", "48.0 µs", "12.0 s"."""
    size, unit = next(((s, u) for s, u in _UNITS if seconds >= s * 0.9995), _UNITS[-1])
    value = seconds / size
    decimals = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:.{decimals}f} {unit}"


def unit_for(seconds: float) -> tuple[float, str]:
    """The unit in which a stretch of time reads best: its seconds, its sign."""
    return next(((s, u) for s, u in _UNITS if seconds >= s), _UNITS[-1])
