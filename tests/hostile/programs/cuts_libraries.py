"""cuts what it may read, by opening it for reading with "truncate": a file of Python's packages"""

import os
import sysconfig
from pathlib import Path

packages = Path(sysconfig.get_paths()["purelib"])
empty = (p for p in packages.glob("*/py.typed") if p.stat().st_size == 0)  # nothing to be lost
for path in [*empty][:1]:
    before = path.stat().st_mtime_ns
    for way in (
        lambda: os.close(os.open(path, os.O_RDONLY | os.O_TRUNC)),
        lambda: os.truncate(path, 0),
    ):
        try:
            way()
        except OSError:
            continue
    if path.stat().st_mtime_ns != before:
        print("ESCAPED: cut", path)
