"""ends, but never quite: exit hooks, threads, finalizers and a destructor that go on"""

import atexit
import threading
import time

ENDS = ("exit", "wall", "cpu")


class Endless:
    def __del__(self):
        time.sleep(100)


def forever():
    while True:
        time.sleep(1)


kept = Endless()
atexit.register(forever)
threading.Thread(target=forever).start()
