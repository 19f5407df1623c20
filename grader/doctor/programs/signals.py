"""stops and kills whom it can: the grader, its own parent, its group, everybody"""

import json
import os
import signal
import sys

world = json.loads(sys.argv[1])
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for pid in (world["victim"], world["grader"]):
    for number in (0, signal.SIGSTOP, signal.SIGKILL):
        for way in (os.kill, os.killpg):
            try:
                way(pid, number)
            except OSError:
                continue
            sys.exit(f"ESCAPED: signal {number} to {pid}")  # so no more of them is tried
for target in (os.getppid(), 1, -1, 0):
    for number in (signal.SIGSTOP, signal.SIGTERM, signal.SIGKILL):
        try:
            os.kill(target, number)
        except OSError:
            continue
