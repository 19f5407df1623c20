"""leaves pipes, sockets and odd names where a grader would read"""

import os
import socket

for name in ("report.pdf", "hw4.py", "\n\x1b[31m.py", "-rf", "\udcff\udcfe"):
    try:
        os.mkfifo(name)
    except (OSError, ValueError):
        continue
try:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("results")
except OSError:
    pass
