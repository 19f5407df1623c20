"""changes files without opening them: length, attributes, times, by calls old and new"""

import ctypes
import json
import os
import struct
import sys
import sysconfig

world = json.loads(sys.argv[1])
path = world["outside"].encode()
libc = ctypes.CDLL(None, use_errno=True)
HERE = -100
value = ctypes.create_string_buffer(b"spoiled")
with_value = struct.pack("QII", ctypes.addressof(value), 7, 0)
attributes = struct.pack("QIIII", 0x80, 0, 0, 0, 0)  # "do not dump"
calls = (  # by number where libc has no name for it: the same on every machine
    (463, HERE, path, 0, b"user.spoiled", with_value, len(with_value)),
    (469, HERE, path, attributes, len(attributes), 0),
)
for number, *arguments in calls:
    libc.syscall(number, *arguments)
for way in (
    lambda: os.truncate(path, 0),
    lambda: os.setxattr(path, "user.spoiled", b"1"),
    lambda: os.close(os.open(path, os.O_RDONLY | os.O_TRUNC)),
    lambda: os.close(os.open(path, os.O_PATH | os.O_TRUNC)),
    lambda: os.utime(path, (1, 1)),
):
    try:
        way()
    except OSError:
        continue
