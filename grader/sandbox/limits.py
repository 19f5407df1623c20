"""What a student's process may take."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from grader.records import Json


@dataclass(frozen=True)
class Limits:
    """Sizes in bytes, times in seconds.

    `cpu` and `wall` bound a script's whole run, or how long a worker is asked nothing; each probe
    has bounds of its own. `memory` is that of all processes together, `file` one file's size,
    `files` how many may be open, `scratch` what may be written in all, in `scratch_files` files.
    `processes` counts threads too. On a busy machine work takes more wall time than processor
    time: `wall` is for what sleeps.
    """

    cpu: float = 120.0
    wall: float = 600.0
    memory: int = 4 << 30
    file: int = 64 << 20
    files: int = 256
    scratch: int = 256 << 20
    scratch_files: int = 10_000
    processes: int = 64

    def to_json(self) -> Json:
        return asdict(self)


def apply(limits: Limits, *, processes: int | None = None) -> None:
    """Lower this process's limits; a limit that is already lower stays. POSIX only.

    `processes` is how many the user may have in all, this one's and those that it has already.
    """
    import resource

    wanted = [
        (resource.RLIMIT_CPU, int(limits.cpu) + 1),
        (resource.RLIMIT_DATA, limits.memory),
        (resource.RLIMIT_FSIZE, limits.file),
        (resource.RLIMIT_NOFILE, limits.files),
        (resource.RLIMIT_CORE, 0),
    ]
    if processes is not None:
        wanted.append((resource.RLIMIT_NPROC, processes))
    for which, value in wanted:
        hard = resource.getrlimit(which)[1]
        capped = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(which, (capped, capped))
