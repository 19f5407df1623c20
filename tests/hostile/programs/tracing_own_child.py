"""traces: asks to be traced, traces a child, reads a sibling's memory"""

import ctypes
import os
import time

libc = ctypes.CDLL(None, use_errno=True)
if libc.ptrace(0, 0, 0, 0) == 0:
    print("ESCAPED: traced by its parent")
child = os.fork()
if child == 0:
    time.sleep(0.5)
    os._exit(0)
if libc.ptrace(16, child, 0, 0) == 0:
    print("ESCAPED: traces a child")
try:
    open(f"/proc/{os.getppid()}/mem", "rb").read(1)
    print("ESCAPED: reads its parent's memory")
except OSError:
    pass
os.waitpid(child, 0)
