"""opens as many files as it can, in as many processes as it can"""

import os
import time

ENDS = ("exit", "processes", "wall", "signal")
for _ in range(64):
    try:
        if os.fork() == 0:
            kept = []
            try:
                while len(kept) < 100_000:
                    kept.append(os.open("/dev/null", os.O_RDONLY))
            except OSError:
                if len(kept) > 1000:
                    print("ESCAPED:", len(kept), "open files", flush=True)
            time.sleep(0.3)
            os._exit(0)
    except OSError:
        break
