"""stops itself and waits to be continued"""

import os
import signal

ENDS = ("wall", "signal", "exit")
while True:
    os.kill(os.getpid(), signal.SIGSTOP)
