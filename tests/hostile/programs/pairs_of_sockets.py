"""makes a pair of sockets, which is harmless, and sends one of them elsewhere"""

import json
import socket
import sys

world = json.loads(sys.argv[1])
for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_STREAM, socket.SOCK_SEQPACKET):
    for address in (world["datagrams"], world["socket"], "\0" + world["name"]):
        for connects in (True, False):
            try:
                one, _other = socket.socketpair(socket.AF_UNIX, kind)
                if connects:
                    one.connect(address)
                    one.send(b"secret")
                else:
                    one.sendto(b"secret", address)
            except OSError:
                continue
