"""fills the disk: one large file, many files, files without a name, memory that is a file system"""

import os

ENDS = ("disk", "exit", "memory")
block = os.urandom(1 << 20)
kept = []
for folder in (".", os.environ["HOME"], "/dev/shm", "/var/tmp"):
    for number in range(400):
        try:
            file = open(f"{folder}/{number}", "wb")
            for _ in range(32):
                file.write(block)
            file.flush()
            if number % 2:
                os.remove(file.name)
            kept.append(file)
        except OSError:
            break
print(sum(os.fstat(file.fileno()).st_size for file in kept) >> 20, "MB written")
