"""leaves in every way: an exit hook, BaseException, os._exit(0)"""

import atexit
import os
import threading

ENDS = ("exit",)
atexit.register(lambda: os._exit(0))
threading.Thread(target=lambda: os.write(1, b"passed\n"), daemon=True).start()
try:
    raise BaseException
except BaseException:
    os._exit(0)
