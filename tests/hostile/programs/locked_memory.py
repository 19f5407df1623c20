"""locks its memory, and takes address space without using it"""

import ctypes
import mmap

ENDS = ("exit", "memory")
libc = ctypes.CDLL(None, use_errno=True)
if libc.mlockall(3) == 0:
    kept = [mmap.mmap(-1, 64 << 20) for _ in range(32)]
    print("ESCAPED: 2 GB locked", len(kept))
