"""closes what it prints to, and goes on where nobody hears it"""

import os
import time

ENDS = ("wall", "exit")
os.closerange(0, 256)
if os.fork() == 0:
    os.setsid()
while True:
    time.sleep(1)
