"""computes without end, in several threads"""

import threading

ENDS = ("cpu", "wall")


def forever():
    while True:
        pass


for _ in range(3):
    threading.Thread(target=forever).start()
forever()
