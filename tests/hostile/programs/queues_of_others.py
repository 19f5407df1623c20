"""reaches shared memory, semaphores and queues of others by number, without knowing a key"""

import ctypes
import json
import sys

world = json.loads(sys.argv[1])
libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p
IPC_RMID, FAILED = 0, ctypes.c_void_p(-1).value
info = ctypes.create_string_buffer(512)
address = libc.shmat(world["segment"], None, 0)
if address != FAILED:
    print("ESCAPED:", ctypes.string_at(address))
if libc.shmctl(world["segment"], IPC_RMID, info) == 0:
    print("ESCAPED: removed shared memory of others")
for stat, name in ((13, "shmctl"), (11, "msgctl")):
    for index in range(64):
        if getattr(libc, name)(index, stat, info) >= 0:
            print("ESCAPED:", name, "sees", index)
for index in range(64):
    if libc.semctl(index, 0, 18, info) >= 0:
        print("ESCAPED: semctl sees", index)
