"""takes all memory as shared pages, which a limit on its own does not count"""

import mmap

ENDS = ("memory", "exit")
kept = []
for _ in range(64):
    pages = mmap.mmap(-1, 32 << 20)
    for at in range(0, len(pages), mmap.PAGESIZE):
        pages[at] = 1
    kept.append(pages)
print("ESCAPED: has 2 GB")
