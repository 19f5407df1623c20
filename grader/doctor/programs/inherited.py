"""looks for the grader's secrets in the environment, in open files and in other processes"""

import json
import os
import sys

world = json.loads(sys.argv[1])
print(dict(os.environ))
for pid in ("self", os.getppid(), 1, world["victim"], world["grader"]):
    for name in ("environ", "cmdline", "maps", "mem"):
        try:
            with open(f"/proc/{pid}/{name}", "rb") as file:
                if pid != "self" and name in {"environ", "mem"}:
                    print("ESCAPED:", pid, name, file.read(1000))
                else:
                    print(file.read(100_000))
        except OSError:
            continue
for number in range(3, 256):
    try:
        os.fstat(number)
        print("ESCAPED: an open file", number, os.readlink(f"/proc/self/fd/{number}"))
        print(os.pread(number, 1000, 0))
    except OSError:
        continue
