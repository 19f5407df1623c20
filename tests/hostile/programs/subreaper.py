"""makes itself the parent of orphans, so that its children are nobody else's"""

import ctypes
import os
import time

ENDS = ("exit",)
libc = ctypes.CDLL(None)
for _ in range(3):
    if os.fork() == 0:
        libc.prctl(36, 1, 0, 0, 0)  # orphans come to us
        libc.prctl(1, 0, 0, 0, 0)  # and our parent's end is nothing to us
        os.setsid()
        for _ in range(3):
            if os.fork() == 0:
                os.setsid()
                time.sleep(68.0625)
        time.sleep(68.0625)
