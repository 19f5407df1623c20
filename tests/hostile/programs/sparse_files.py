"""makes files that seem huge, and maps them"""

import mmap
import os

for size in (1 << 44, 1 << 34, 15 << 20):
    try:
        file = os.open(f"sparse-{size}", os.O_CREAT | os.O_RDWR)
        os.truncate(file, size)
        if size > 1 << 30:
            print("ESCAPED: a file of", size, "bytes")
        pages = mmap.mmap(file, size)
        for at in range(0, size, 1 << 16):
            pages[at] = 1
    except (OSError, ValueError):
        continue
