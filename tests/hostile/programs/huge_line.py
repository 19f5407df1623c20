"""prints one line that never ends"""

import sys

ENDS = ("output",)
while True:
    sys.stdout.write("a" * 65536)
