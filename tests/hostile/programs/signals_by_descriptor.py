"""signals others by way of a file: whoever owns a descriptor is told when there is something to read"""

import fcntl
import json
import os
import signal
import struct
import sys

world = json.loads(sys.argv[1])
F_SETSIG, F_SETOWN_EX, FIOSETOWN = 10, 15, 0x8901
pid = world["victim"]
ways = (
    lambda end: fcntl.fcntl(end, fcntl.F_SETOWN, pid),
    lambda end: fcntl.fcntl(end, fcntl.F_SETOWN, -pid),
    lambda end: fcntl.fcntl(end, F_SETOWN_EX, struct.pack("ii", 1, pid)),
    lambda end: fcntl.ioctl(end, FIOSETOWN, struct.pack("i", pid)),
)
for way in ways:
    for number in (signal.SIGIO, signal.SIGKILL):
        end, other = os.pipe()
        try:
            way(end)
            fcntl.fcntl(end, F_SETSIG, number)
            fcntl.fcntl(end, fcntl.F_SETFL, fcntl.fcntl(end, fcntl.F_GETFL) | os.O_ASYNC)
            os.write(other, b"now")
        except OSError:
            continue
