"""makes as many files as there can be, with names as long as they can be"""

import os

ENDS = ("exit", "disk", "cpu", "wall")
made = 0
try:
    for number in range(100_000):
        os.close(os.open(f"{number:0>250}", os.O_CREAT | os.O_WRONLY))
        made += 1
except OSError:
    pass
if made > 60_000:
    print("ESCAPED:", made, "files")
