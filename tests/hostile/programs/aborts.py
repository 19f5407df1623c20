"""aborts, with a core file wanted"""

import os
import resource

ENDS = ("signal",)
try:
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2)
    print("ESCAPED: core files are on")
except (OSError, ValueError):
    pass
os.abort()
