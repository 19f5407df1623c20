"""sleeps without end, and ignores every signal that it can"""

import signal
import time

ENDS = ("wall",)
for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        continue
while True:
    time.sleep(1000)
