"""exits with a text, a huge number and True"""

import os
import sys
import threading

ENDS = ("exit",)
thread = threading.Thread(target=sys.exit, args=(10**30,))
thread.start()
thread.join()
if os.fork() == 0:
    os._exit(0)
raise SystemExit("passed: 15 of 15 points")
