"""has its children compute, one after another, so that no single one is ever over its time"""

import os
import time

ENDS = ("cpu", "wall")
while True:
    child = os.fork()
    if child == 0:
        until = time.monotonic() + 0.1
        while time.monotonic() < until:
            pass
        os._exit(0)
    os.waitpid(child, 0)
