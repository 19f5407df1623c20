"""starts processes without end"""

import os
import time

ENDS = ("exit", "processes", "wall", "cpu", "signal")
until = time.monotonic() + 1.5
while time.monotonic() < until:
    try:
        os.fork()
    except OSError:
        time.sleep(0.01)
time.sleep(60)
