"""sends without connecting: datagrams, fast open, urgent data, to the host and the world"""

import json
import socket
import sys

world = json.loads(sys.argv[1])
for host in ("127.0.0.1", "192.0.2.1", "255.255.255.255", "224.0.0.1"):
    for flags in (0, 0x20000000, socket.MSG_OOB):
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            try:
                with socket.socket(socket.AF_INET, kind) as channel:
                    channel.settimeout(0.1)
                    channel.sendto(b"secret", flags, (host, world["port"]))
                    if host != "127.0.0.1" or kind == socket.SOCK_STREAM:
                        print("ESCAPED: sent to", host)
            except OSError:
                continue
