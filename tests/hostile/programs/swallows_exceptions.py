"""catches everything, SystemExit and KeyboardInterrupt too, and goes on"""

import os
import signal
import sys

ENDS = ("cpu", "wall")
for number in (signal.SIGXCPU, signal.SIGTERM, signal.SIGINT, signal.SIGALRM):
    signal.signal(number, lambda *_: None)
while True:
    try:
        os.kill(os.getpid(), signal.SIGINT)
        sys.exit(0)
    except BaseException:
        continue
