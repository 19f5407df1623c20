"""makes namespaces through calls that filters overlook: clone3, the 32-bit and the x32 tables"""

import ctypes
import platform
import struct

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
arguments = struct.pack("8Q", 0x10000000, 0, 0, 0, 17, 0, 0, 0)
child = libc.syscall(ctypes.c_long(435), ctypes.c_char_p(arguments), ctypes.c_long(64))
if child == 0:
    libc._exit(0)
if child > 0:
    print("ESCAPED: clone3 with a user namespace")
print("so far", flush=True)
if platform.machine() == "x86_64":
    libc.syscall(ctypes.c_long(0x40000000 + 272), ctypes.c_long(0x10000000))  # ends the process
    print("ESCAPED: the x32 table answers")
