"""keeps memory where no process owns it: anonymous files, System V segments, pipes, sockets"""

import ctypes
import os
import socket

libc = ctypes.CDLL(None, use_errno=True)
ENDS = ("exit", "memory", "disk")
total = 0
try:
    for number in range(64):
        file = os.memfd_create(str(number))
        total += sum(os.write(file, bytes(1 << 20)) for _ in range(16))
except OSError:
    pass
for key in range(8):
    segment = libc.shmget(0x61B0 + key, 64 << 20, 0o1666)
    if segment >= 0:
        print("ESCAPED: a segment that outlives it")
if libc.msgget(0x61B0, 0o1666) >= 0 or libc.semget(0x61B0, 1, 0o1666) >= 0:
    print("ESCAPED: a queue that outlives it")
for _ in range(100):
    try:
        one, other = socket.socketpair()
        one.setblocking(False)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 30)
        while True:
            total += one.send(bytes(1 << 16))
    except OSError:
        continue
if total > 512 << 20:
    print("ESCAPED:", total >> 20, "MB that nobody owns")
