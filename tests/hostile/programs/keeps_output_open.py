"""ends, but leaves a child that keeps its output open"""

import os
import time

ENDS = ("exit",)
if os.fork() == 0:
    os.setsid()
    while True:
        time.sleep(1)
