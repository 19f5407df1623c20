"""asks for privileges back: capabilities, other users, other groups"""

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
me = os.getuid()
for way in (os.setuid, os.seteuid, os.setgid, os.setegid):
    for target in {0, 1, 1000, 65534} - {me, os.getgid()}:
        try:
            way(target)
            print("ESCAPED:", way.__name__, target)
        except OSError:
            continue
try:
    os.setgroups([0])
    print("ESCAPED: groups")
except OSError:
    pass
libc.prctl(38, 0, 0, 0, 0)  # take "no new privileges" back
libc.prctl(22, 0, 0, 0, 0)  # and the filter
status = open("/proc/self/status").read() if os.path.exists("/proc/self/status") else ""
for line in status.splitlines():
    if line.startswith("CapEff") and int(line.split()[1], 16):
        print("ESCAPED:", line)
    if line.startswith(("NoNewPrivs", "Seccomp:")) and line.split()[1] == "0":
        print("ESCAPED:", line)
