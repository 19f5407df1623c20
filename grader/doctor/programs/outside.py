"""writes outside its scratch: over others' files, next to them, into programs and libraries"""

import json
import os
import sys

world = json.loads(sys.argv[1])
outside = world["outside"]


def written(path):
    with open(path, "a") as file:
        file.write("spoiled")


def openable(path):
    os.close(os.open(path, os.O_WRONLY))  # and nothing written: it is the machine's own


ways = {
    "append": lambda: written(outside),
    "truncate": lambda: os.truncate(outside, 0),
    "truncate while reading": lambda: os.open(outside, os.O_TRUNC),
    "truncate while doing neither": lambda: os.open(outside, os.O_TRUNC | os.O_ACCMODE),
    "remove": lambda: os.remove(outside),
    "rename over": lambda: os.rename("main.py", outside),
    "link": lambda: os.symlink("main.py", outside + "-link"),
    "new folder": lambda: os.mkdir(outside + "-folder"),
    "device": lambda: os.mknod("device", 0o20666, os.makedev(1, 1)),
    "standard library": lambda: openable(json.__file__),
    "interpreter": lambda: openable(sys.executable),
    "system": lambda: os.mkdir("/usr/lib/spoiled"),
    "kernel": lambda: openable("/proc/sys/kernel/core_pattern"),
}
for name, way in ways.items():
    try:
        way()
    except OSError:
        continue
    print("ESCAPED:", name)
for way in (lambda: os.chmod(outside, 0), lambda: os.utime(outside, (0, 0))):
    try:
        way()  # may seem to work; the file tells
    except OSError:
        continue
os.chmod("main.py", 0)  # its own source is a copy
os.remove("main.py")
