"""fills the file systems that are memory"""

import os

total = 0
for folder in ("/dev/shm", "/tmp", "/run", "/run/lock", "/sys/fs/cgroup", os.environ["HOME"]):
    for number in range(40):
        try:
            with open(f"{folder}/fill-{number}", "wb", buffering=0) as file:
                for _ in range(15):
                    total += file.write(bytes(1 << 20))
        except OSError:
            break
if total > 200 << 20:
    print("ESCAPED:", total >> 20, "MB")
