"""types into the grader's terminal"""

import fcntl
import os
import termios

for number in range(3):
    try:
        fcntl.ioctl(number, termios.TIOCSTI, b"\n")
        print("ESCAPED: typed into", number)
    except OSError:
        continue
try:
    os.close(os.open("/dev/tty", os.O_RDWR))
    print("ESCAPED: has a terminal")
except OSError:
    pass
