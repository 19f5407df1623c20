"""waits for itself: a lock that it holds already, in a thread that cannot be interrupted"""

import threading

ENDS = ("wall",)
lock = threading.Lock()
lock.acquire()
threading.Thread(target=lock.acquire).start()
lock.acquire()
