"""starts threads without end, which never finish"""

import threading

ENDS = ("exit", "processes", "wall", "signal")
started = 0
try:
    while started < 10_000:
        threading.Thread(target=threading.Event().wait).start()
        started += 1
finally:
    print(started, "threads")
if started > 1000:
    print("ESCAPED:", started, "threads")
