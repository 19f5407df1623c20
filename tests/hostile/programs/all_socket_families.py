"""opens a socket of every family, type and protocol there is"""

import socket
import sys

kinds = (1, 2, 3, 4, 5, 10)
opened = set()
for family in range(64):
    for kind in kinds:
        for protocol in (0, 1, 6, 17, 255):
            try:
                socket.socket(family, kind, protocol).close()
                opened.add((family, kind))
            except OSError:
                continue
harmless = {1, 2, 10, 16}  # within a network of its own
outside = {pair for pair in opened if pair[0] not in harmless or (pair[1] == 3 and pair[0] != 16 and pair[0] != 1)}
if outside:
    print("ESCAPED:", sorted(outside))
sys.exit(0)
