"""leaves files in every folder that anybody may write to, some of them locked, linked or running"""

import fcntl
import os
import shutil
import socket

NAME = "left-68.0625"
for folder in ("/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue", "/run/lock", "/run", "/var/lock", "/"):
    path = f"{folder}/{NAME}"
    for way in (
        lambda path=path: fcntl.flock(os.open(path, os.O_CREAT | os.O_RDWR, 0o666), fcntl.LOCK_EX),
        lambda path=path: os.mkdir(f"{path}-folder"),
        lambda path=path: os.symlink("/etc/shadow", f"{path}-link"),
        lambda path=path: os.mkfifo(f"{path}-pipe"),
        lambda path=path: os.rename("main.py", f"{path}-renamed"),
        lambda path=path: shutil.copy("/bin/sleep", f"{path}-program"),
        lambda path=path: socket.socket(socket.AF_UNIX).bind(f"{path}-socket"),
    ):
        try:
            way()
        except OSError:
            continue
