"""Bounds what reading a stranger's file may take of this process' memory."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_STATUS = Path("/proc/self/status")


@contextmanager
def memory_bound(more: int) -> Iterator[None]:
    """In here this process may take `more` bytes than it has; MemoryError where it takes more.

    Python's own parser needs it: 200 KB of `import a.b.b.b...` are 10 GB to it. Does nothing
    where the system is not Linux.
    """
    found = re.search(r"VmData:\s+(\d+) kB", _STATUS.read_text()) if _STATUS.exists() else None
    if found is None:
        yield
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    most = (int(found[1]) << 10) + more
    known = [limit for limit in (soft, hard, most) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_DATA, (min(known), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
