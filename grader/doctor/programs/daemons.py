"""leaves processes behind, in sessions of their own, which start each other again"""

import os
import subprocess
import sys
import time

if sys.argv[1:] != ["again"]:
    for _ in range(3):
        subprocess.Popen(["/bin/sleep", "68.0625"], start_new_session=True)
    marker = [sys.executable, "-S", "-c", "import time; time.sleep(68.0625)"]
    subprocess.Popen(marker, start_new_session=True, env={})
for _ in range(2):
    if os.fork() == 0:
        os.setsid()
        while True:
            if os.fork():
                os._exit(0)
            time.sleep(0.01)
