"""hides behind another name and another command line"""

import ctypes
import os
import time

ENDS = ("exit",)
libc = ctypes.CDLL(None)
libc.prctl(15, b"systemd", 0, 0, 0)
if os.fork() == 0:
    os.setsid()
    os.execve("/bin/sleep", ["systemd", "68.0625"], {})
    time.sleep(68.0625)
