"""raises its limits, and its priority"""

import json
import os
import resource
import sys

wanted = resource.RLIM_INFINITY
for name in ("CPU", "DATA", "FSIZE", "NOFILE", "NPROC"):
    which = getattr(resource, f"RLIMIT_{name}")
    for pid in (0, os.getppid()):
        try:
            resource.prlimit(pid, which, (wanted, wanted))
            print("ESCAPED:", name, pid)
        except (OSError, ValueError):
            continue
world = json.loads(sys.argv[1])
for which, who in ((os.PRIO_PROCESS, 0), (os.PRIO_PROCESS, world["victim"]), (os.PRIO_USER, 0)):
    try:
        before = os.getpriority(which, who)
        os.setpriority(which, who, before + (5 if who else -5))
        if os.getpriority(which, who) != before:
            print("ESCAPED: changed a priority", which, who)
    except OSError:
        continue
try:
    resource.prlimit(world["victim"], resource.RLIMIT_CPU, (1, 1))
    print("ESCAPED: limits others")
except OSError:
    pass
try:
    os.sched_setaffinity(world["victim"], {0})
    print("ESCAPED: moves others")
except OSError:
    pass
try:
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
    print("ESCAPED: runs in real time")
except OSError:
    pass
