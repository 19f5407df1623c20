"""watches the folders of others: who writes which file there, and when"""

import ctypes
import fcntl
import json
import os
import sys

world = json.loads(sys.argv[1])
libc = ctypes.CDLL(None, use_errno=True)
watching = libc.inotify_init1(os.O_NONBLOCK)
folder = os.path.dirname(world["secret"])
for path in (world["secret"], folder):
    if libc.inotify_add_watch(watching, path.encode(), 0xFFF) >= 0:
        print("ESCAPED: is told about", path)
try:
    fcntl.fcntl(os.open(folder, os.O_RDONLY), fcntl.F_NOTIFY, fcntl.DN_CREATE)
    print("ESCAPED: is told about", folder)
except OSError:
    pass
