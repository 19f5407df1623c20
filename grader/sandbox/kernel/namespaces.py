"""Namespaces: a process's own view of users, processes, network, mounts and names."""

from __future__ import annotations

import fcntl
import os
import socket
import struct

from grader.sandbox.kernel.calls import PR_SET_DUMPABLE, prctl, syscall

USER, PID, NETWORK, MOUNT = 0x10000000, 0x20000000, 0x40000000, 0x00020000
IPC, HOSTNAME, CGROUP = 0x08000000, 0x04000000, 0x02000000
ALL_BUT_USER = PID | NETWORK | MOUNT | IPC | HOSTNAME | CGROUP

_SIOCSIFFLAGS = 0x8914
_UP_AND_RUNNING = 0x1 | 0x40


def unshare(kinds: int) -> None:
    """Leave the namespaces of these kinds for new ones; of `PID`, children do."""
    syscall("unshare", kinds)


def unshare_as_user(kinds: int) -> None:
    """As `unshare`, together with a user namespace that knows this user only, as itself."""
    uid, gid = os.geteuid(), os.getegid()
    prctl(PR_SET_DUMPABLE, 1)  # else /proc/self/uid_map belongs to root after a change of user
    unshare(USER | kinds)
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{uid} {uid} 1"),
        ("gid_map", f"{gid} {gid} 1"),
    ):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(text)


def start_loopback() -> None:
    """Bring up 127.0.0.1 in a network namespace, where it is the only interface."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        request = struct.pack("16sh14x", b"lo", _UP_AND_RUNNING)
        fcntl.ioctl(channel, _SIOCSIFFLAGS, request)
