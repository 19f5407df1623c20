"""crashes the interpreter"""

import ctypes
import faulthandler

ENDS = ("signal",)
faulthandler.disable()
ctypes.string_at(0)
