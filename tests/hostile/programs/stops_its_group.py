"""stops its group, its parent and everybody it can, so that nobody is left to end it"""

import json
import os
import signal
import sys

ENDS = ("wall", "exit", "signal")
world = json.loads(sys.argv[1])
try:
    os.kill(world["victim"], 0)
    sys.exit("ESCAPED: reaches another process")  # so no more is tried
except OSError:
    pass
if os.fork() == 0:
    for _ in range(1000):
        for target in (os.getppid(), 1, 0, -1):
            try:
                os.kill(target, signal.SIGSTOP)
            except OSError:
                continue
    os._exit(0)
while True:
    signal.pause()
