"""Runs of whole programs as checks want them: what is started, on which GPUs, with what changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class ProgramWanted:
    """A script of the rubric in one process. `values` are numbers in it, and what they become."""

    script: str
    gpus: int
    arguments: tuple[str, ...] = ()
    sizes: Mapping[str, int] = field(default_factory=dict)
    values: Mapping[int, int] = field(default_factory=dict)
    timeline: bool = False
    dry: bool = False
    steps: int | None = None


@dataclass(frozen=True)
class RanksWanted:
    """The same in several processes. `rewrites` are expressions in it, and what they become."""

    script: str
    processes: int
    gpus: int
    arguments: tuple[str, ...] = ()
    sizes: Mapping[str, int] = field(default_factory=dict)
    rewrites: Mapping[str, str] = field(default_factory=dict)
    same: bool = False
