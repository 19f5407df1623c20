"""opens devices: disks, memory, the kernel's log, terminals, GPUs that were not given"""

import glob
import os

allowed = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"}
for path in {"/dev/mem", "/dev/kmem", "/dev/kmsg", "/dev/tty", "/dev/vda", "/dev/sda", "/dev/kvm", "/dev/fuse",
             "/dev/net/tun", "/proc/kcore", "/proc/kmsg", "/sys/kernel/debug",
             *glob.glob("/dev/*"), *glob.glob("/dev/nvidia*")} - allowed:
    if os.path.isdir(path):
        continue
    for flags in (os.O_RDONLY, os.O_WRONLY):
        try:
            os.close(os.open(path, flags | os.O_NONBLOCK))
            print("ESCAPED:", path)
        except OSError:
            continue
