"""asks the kernel for more: tracing, mounts, namespaces, keys, BPF, io_uring, new privileges"""

import ctypes
import json
import os
import platform
import sys

world = json.loads(sys.argv[1])
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
numbers = {  # x86_64, aarch64
    "ptrace": (101, 117, (16, world["victim"], 0, 0)),
    "process_vm_readv": (310, 270, (os.getppid(), 0, 0, 0, 0, 0)),
    "pidfd_open": (434, 434, (os.getpid(), 0)),
    "unshare": (272, 97, (0x10000000,)),
    "setns": (308, 268, (0, 0x40000000)),
    "chroot": (161, 51, (b".",)),
    "mount": (165, 40, (b"none", b"/tmp", b"tmpfs", 0, 0)),
    "keyctl": (250, 219, (0, -3, 1)),
    "bpf": (321, 280, (0, b"\1" + bytes(71), 72)),
    "io_uring_setup": (425, 425, (8, bytes(120))),
    "perf_event_open": (298, 241, (b"\1\0\0\0\x80" + bytes(123), 0, -1, -1, 0)),
    "userfaultfd": (323, 282, (1,)),
    "setuid": (105, 146, (1,)),
    "memfd_create": (319, 279, (b"m", 0)),
    "shmget": (29, 194, (0, 4096, 0o1777)),
    "msgget": (68, 186, (0, 0o1777)),
    "open_by_handle_at": (304, 265, (-100, bytes(128), 0)),
    "swapoff": (168, 225, (b"/swap",)),
}
column = 0 if platform.machine() == "x86_64" else 1
for name, (*both, arguments) in numbers.items():
    values = [ctypes.c_char_p(a) if isinstance(a, bytes) else ctypes.c_long(a) for a in arguments]
    if libc.syscall(ctypes.c_long(both[column]), *values) >= 0:
        print("ESCAPED:", name)
if libc.syscall(ctypes.c_long(56 if column == 0 else 220), 0x10000000 | 17, 0, 0, 0, 0) > 0:
    print("ESCAPED: clone with a new user namespace")
