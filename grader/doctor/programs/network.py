"""reaches the network: the grader's own ports, other machines, raw packets, the host's sockets"""

import json
import socket
import sys

world = json.loads(sys.argv[1])


def connect(family, address):
    with socket.socket(family, socket.SOCK_STREAM) as channel:
        channel.settimeout(0.3)
        channel.connect(address)
        return f"connected to {address}"


def send(address):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        channel.sendto(b"hello", address)
        return f"sent to {address}"


def opened(family, kind):
    socket.socket(family, kind).close()
    return f"a socket of family {family}"


ways = [
    lambda: connect(socket.AF_INET, ("127.0.0.1", world["port"])),
    lambda: connect(socket.AF_UNIX, world["socket"]),
    lambda: connect(socket.AF_UNIX, "\0" + world["name"]),
    lambda: connect(socket.AF_INET, ("192.0.2.1", 80)),  # addresses for documentation only
    lambda: connect(socket.AF_INET6, ("2001:db8::1", 80)),
    lambda: send(("192.0.2.1", 53)),
    lambda: opened(socket.AF_INET, socket.SOCK_RAW),
]
for family in (
    17,
    31,
    38,
    40,
    44,
):  # packets, Bluetooth, the kernel's ciphers, virtual machines, XDP
    for kind in (socket.SOCK_RAW, socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET):
        ways.append(lambda family=family, kind=kind: opened(family, kind))
for way in ways:
    try:
        print("ESCAPED:", way())
    except OSError:
        continue
