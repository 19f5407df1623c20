"""Resource limits of a student's process. POSIX only; imported only where they are set."""

from __future__ import annotations

import resource
from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Sizes in bytes, times in seconds."""

    cpu: int = 120
    memory: int = 4 << 30
    file: int = 64 << 20
    files: int = 256
    core: int = 0


def apply(limits: Limits) -> None:
    """Lower this process's limits; a limit that is already lower stays."""
    for which, value in (
        (resource.RLIMIT_CPU, limits.cpu),
        (resource.RLIMIT_DATA, limits.memory),
        (resource.RLIMIT_FSIZE, limits.file),
        (resource.RLIMIT_NOFILE, limits.files),
        (resource.RLIMIT_CORE, limits.core),
    ):
        hard = resource.getrlimit(which)[1]
        capped = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(which, (capped, capped))
