"""Capabilities: what root may do beyond other users. A student's process has none."""

from __future__ import annotations

import struct

from grader.sandbox.kernel.calls import PR_CAP_AMBIENT, PR_CAPBSET_DROP, prctl, syscall

_VERSION_3 = 0x20080522
_CLEAR_ALL = 4
_SYS_ADMIN = 21


def bound() -> None:
    """Give up what a program of root would gain; only root can, so it comes before `drop`."""
    for capability in range(64):
        try:
            prctl(PR_CAPBSET_DROP, capability)
        except OSError:
            break  # past the last one that this kernel knows, or not root


def drop() -> None:
    """Give up all capabilities."""
    prctl(PR_CAP_AMBIENT, _CLEAR_ALL)
    syscall("capset", struct.pack("Ii", _VERSION_3, 0), bytes(24))


def can_administrate() -> bool:
    """Whether this process may mount and make namespaces without a user namespace."""
    with open("/proc/self/status", encoding="utf-8") as status:
        (line,) = (line for line in status if line.startswith("CapEff:"))
    return bool(int(line.split()[1], 16) >> _SYS_ADMIN & 1)
