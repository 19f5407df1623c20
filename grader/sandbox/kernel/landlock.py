"""Landlock: which files a process may touch, for good, without any privilege.

<linux/landlock.h>. Kernels differ in what they can restrict; the number of the interface (ABI)
says how much: 1 files, 2 renaming between folders, 3 truncation, 4 TCP, 5 device controls,
6 signals and abstract sockets.
"""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Iterable

from grader.sandbox.kernel.calls import PR_SET_NO_NEW_PRIVS, prctl, syscall

TRUNCATION_SINCE = 3
SIGNALS_SINCE = 6
OF_DEBIAN_12 = 2  # Linux 6.1

_VERSION = 1  # flag of landlock_create_ruleset
_PATH_BENEATH = 1
_EXECUTE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 2, 1 << 3
_WRITE_FILE, _TRUNCATE, _IOCTL_DEV = 1 << 1, 1 << 14, 1 << 15
_READ = _EXECUTE | _READ_FILE | _READ_DIR
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV
_BITS_BY_ABI = {1: 13, 2: 14, 3: 15, 4: 15}  # 16 from 5 on
_TCP = 0b11  # bind, connect
_SCOPE = 0b11  # abstract sockets, signals


def abi() -> int:
    """The interface that this kernel offers; 0 where there is none."""
    try:
        return syscall("landlock_create_ruleset", 0, 0, _VERSION)
    except OSError:
        return 0


def restrict_files(
    *,
    readable: Iterable[str] = (),
    writable: Iterable[str] = (),
    listable: Iterable[str] = (),
    tcp: bool,
    version: int,
) -> None:
    """Allow this process these paths and no others, and TCP or not, where the ABI can.

    `listable` folders may be listed with all below them, but files there are not opened. Paths
    that do not exist are left out.
    """
    handled = (1 << _BITS_BY_ABI.get(version, 16)) - 1
    ruleset = _ruleset(handled, 0 if tcp or version < 4 else _TCP, _scope(version), version)
    try:
        for paths, access in ((readable, _READ), (writable, handled), (listable, _READ_DIR)):
            for path in paths:
                _allow(ruleset, path, access & handled)
        _enforce(ruleset)
    finally:
        os.close(ruleset)


def restrict_signals(version: int) -> None:
    """From here on, signals reach only processes that this one starts, and itself."""
    ruleset = _ruleset(0, 0, _scope(version), version)
    try:
        _enforce(ruleset)
    finally:
        os.close(ruleset)


def _scope(version: int) -> int:
    return _SCOPE if version >= SIGNALS_SINCE else 0


def _ruleset(files: int, network: int, scope: int, version: int) -> int:
    attributes = struct.pack("QQQ", files, network, scope)
    known = 8 if version < 4 else 16 if version < SIGNALS_SINCE else 24
    return syscall("landlock_create_ruleset", attributes[:known], known, 0)


def _allow(ruleset: int, path: str, access: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # not on this machine: nothing to allow
    try:
        if not stat.S_ISDIR(os.fstat(place).st_mode):
            access &= _OF_FILES
        rule = struct.pack("=QI", access, place)
        syscall("landlock_add_rule", ruleset, _PATH_BENEATH, rule, 0)
    finally:
        os.close(place)


def _enforce(ruleset: int) -> None:
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    syscall("landlock_restrict_self", ruleset, 0)
