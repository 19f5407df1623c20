"""prints without end: control codes, invalid text, no line ends"""

import os

ENDS = ("output",)
block = b"\x1b[2J\x1b]0;title\x07\xff\xfe\x00" * 6000
while True:
    os.write(1, block)
    os.write(2, block)
