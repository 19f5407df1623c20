"""looks through all of /proc for other processes and their secrets"""

import os

names = os.listdir("/proc") if os.access("/proc", os.R_OK) else []
mine = {str(os.getpid()), str(os.getppid()), "1"}
for pid in filter(str.isdigit, names):
    for name in ("environ", "cmdline", "cwd", "exe", "root", "fd"):
        path = f"/proc/{pid}/{name}"
        try:
            seen = os.listdir(path) if name == "fd" else open(path, "rb").read()
        except OSError:
            continue
        if pid not in mine:
            print("ESCAPED:", path, seen)
