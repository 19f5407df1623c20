"""fills the disk: one large file, many files, files without a name, memory that is a file system"""

import os

ENDS = ("disk", "exit", "memory")
block = os.urandom(1 << 20)
kept = []
for folder in (".", os.environ["HOME"], "/dev/shm", "/var/tmp"):
    for number in range(40):
        try:
            file = open(f"{folder}/{number}", "wb", buffering=0)
            for _ in range(32):
                file.write(block)
            if number % 2:
                os.remove(file.name)
            kept.append(file)
        except OSError:
            break
written = sum(os.fstat(file.fileno()).st_blocks for file in kept) * 512
if written > 200 << 20:
    print("ESCAPED: wrote", written >> 20, "MB")
