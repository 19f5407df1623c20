"""seccomp: which system calls a process may make. Classic BPF, assembled here.

A list of what is refused, not of what is allowed: torch, Python and libc use too much of the
kernel, in too many versions. Refused are calls that reach other processes, other places or
little-tried parts of the kernel, and those that leave something behind.
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import struct
from collections.abc import Callable, Sequence

from grader.sandbox.kernel.calls import (
    MACHINE,
    PR_SET_NO_NEW_PRIVS,
    PR_SET_SECCOMP,
    has,
    number,
    prctl,
)

#: Refused with EPERM, always.
REFUSED = (
    *("ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "kcmp", "move_pages"),
    "migrate_pages",
    *("pidfd_open", "pidfd_getfd", "perf_event_open", "userfaultfd", "bpf"),
    *("add_key", "request_key", "keyctl"),
    *("mount", "umount2", "pivot_root", "chroot", "mount_setattr", "move_mount", "open_tree"),
    "open_tree_attr",
    *("fsopen", "fsconfig", "fsmount", "fspick", "unshare", "setns"),
    *("open_by_handle_at", "name_to_handle_at", "fanotify_init", "quotactl"),
    *("init_module", "finit_module", "delete_module", "kexec_load", "reboot", "swapon"),
    *("swapoff", "acct", "syslog", "personality"),
)
#: Refused as if the kernel did not have them, because libraries then take another way. Memory of
#: these calls belongs to no process, so that nothing would count it, or it would stay behind.
ABSENT = (
    *("io_uring_setup", "io_uring_enter", "io_uring_register"),
    *("memfd_create", "memfd_secret", "mq_open", "mq_unlink"),
    *("shmget", "shmat", "shmctl", "semget", "semop", "semtimedop", "semctl"),  # by number, too:
    *("msgget", "msgsnd", "msgrcv", "msgctl"),  # what others made is reached without its key
    *("setxattrat", "removexattrat", "file_setattr"),  # libc has the older ones
    "clone3",  # its flags lie behind a pointer, where no filter looks; libc then uses clone
)
#: Done only in appearance where others' files can be seen: Landlock does not cover them, and honest
#: programs, which call them on files of their own, go on.
PRETENDED = (
    *("chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "lchown", "fchown", "fchownat"),
    *("utime", "utimes", "futimesat", "utimensat"),
    *("setxattr", "lsetxattr", "fsetxattr", "removexattr", "lremovexattr", "fremovexattr"),
)
#: Absent where others' files can be seen: Landlock does not cover these either.
_WATCHING = ("inotify_init", "inotify_init1")
#: Commands that choose whom a descriptor signals, or watch a folder: (call, its argument, commands)
_SIGNALLING_BY_DESCRIPTOR = (
    ("fcntl", 1, (8, 15, 1026)),  # F_SETOWN, F_SETOWN_EX, F_NOTIFY
    ("ioctl", 1, (0x8901, 0x8902)),  # FIOSETOWN, SIOCSPGRP
)
#: Calls whose first argument is a process: allowed for 0, the caller.
_OF_ONESELF = (
    *("prlimit64", "sched_setaffinity", "sched_setscheduler", "sched_setparam", "sched_setattr"),
)
#: Done only in appearance: they could mean all processes of a user.
_IDLE = ("setpriority", "ioprio_set")
#: Options of sockets that ask for large buffers, which are nobody's memory: only in appearance.
_BUFFER_SIZES = (7, 8, 32, 33)  # SO_SNDBUF, SO_RCVBUF, and both for administrators
#: Calls whose first argument is the process to be signalled, and others that signal.
_SIGNALLING = ("kill", "tgkill")
_SIGNALLING_OTHERS = ("tkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_send_signal")

#: What a network of one machine needs: its own sockets, loopback, and asking for interfaces.
OWN_NETWORK = (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, 16)

_NEW_NAMESPACES = 0x7E020080  # CLONE_NEW*, all of them
_ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32 = 0x40000000  # a second table of system calls on x86_64

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN, _AND = 0x20, 0x15, 0x35, 0x45, 0x06, 0x54
_ALLOW, _KILL, _ERROR = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER, _ARCH, _FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data


class _Program:
    """Instructions of classic BPF, with the few shapes that are needed here."""

    def __init__(self) -> None:
        self.code: list[bytes] = []

    def add(self, operation: int, value: int, if_true: int = 0, if_false: int = 0) -> None:
        self.code.append(struct.pack("HBBI", operation, if_true, if_false, value & 0xFFFFFFFF))

    def refuse(self, call: str, code: int) -> None:
        self.add(_EQUAL, number(call), 0, 1)
        self.add(_RETURN, _ERROR | code)

    def by_argument(
        self, call: str, body: Callable[[_Program], None], *, argument: int = 0
    ) -> None:
        """For `call`, load an argument and run `body`, which returns on every way."""
        inner = _Program()
        inner.add(_LOAD, _FIRST_ARGUMENT + 8 * argument)
        body(inner)
        self.add(_EQUAL, number(call), 0, len(inner.code))
        self.code += inner.code


def program(
    *,
    families: Sequence[int],
    sees_others: bool = False,
    can_truncate: bool = True,
    only_signals_to: int | None = None,
) -> bytes:
    """A filter that allows sockets of `families`, and signals to one process or to all.

    `sees_others` says that files of others have names here, if no more; `can_truncate`, that files
    may be cut without being opened for writing, since something else restricts it.
    """
    made = _Program()
    made.add(_LOAD, _ARCH)
    made.add(_EQUAL, _ARCHITECTURE[MACHINE], 1, 0)
    made.add(_RETURN, _KILL)
    made.add(_LOAD, _NUMBER)
    if MACHINE == "x86_64":
        made.add(_AT_LEAST, _X32, 0, 1)
        made.add(_RETURN, _KILL)
    for call in REFUSED:
        made.refuse(call, errno.EPERM)
    for call in ABSENT:
        made.refuse(call, errno.ENOSYS)
    for call in _OF_ONESELF:
        made.by_argument(call, lambda inner: _only(inner, (0,), errno.EPERM))
    for call in _IDLE:
        made.refuse(call, 0)
    made.by_argument("setsockopt", _without_large_buffers, argument=2)
    for call, argument, commands in _SIGNALLING_BY_DESCRIPTOR:
        _refuse_commands(made, call, argument, commands)
    if sees_others:
        _hide_others(made)
    if not can_truncate:
        _refuse_truncation(made)
    made.by_argument("clone", _without_namespaces)
    made.by_argument("socket", lambda inner: _only(inner, families, errno.EACCES))
    made.by_argument("socketpair", _only_connected if sees_others else _only_local)
    if only_signals_to is not None:
        allowed = (only_signals_to,)
        for call in _SIGNALLING:
            made.by_argument(call, lambda inner: _only(inner, allowed, errno.EPERM))
        for call in _SIGNALLING_OTHERS:
            made.refuse(call, errno.EPERM)
    made.add(_RETURN, _ALLOW)
    return b"".join(made.code)


def refusing(calls: Sequence[str]) -> bytes:
    """A filter that refuses just these calls, and namespaces in `clone`, as containers do."""
    made = _Program()
    made.add(_LOAD, _NUMBER)
    for call in calls:
        made.refuse(call, errno.EPERM)
    made.refuse("clone3", errno.ENOSYS)
    made.by_argument("clone", _without_namespaces)
    made.add(_RETURN, _ALLOW)
    return b"".join(made.code)


def load(code: bytes) -> None:
    """Put this process and all that it starts under the filter, for good."""
    buffer = ctypes.create_string_buffer(code, len(code))
    header = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(buffer))
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    prctl(PR_SET_SECCOMP, 2, ctypes.create_string_buffer(header))


def _hide_others(made: _Program) -> None:
    """Refuse what reaches others' files and sockets by their names, past Landlock."""
    for call in filter(has, PRETENDED):
        made.refuse(call, 0)
    for call in filter(has, _WATCHING):
        made.refuse(call, errno.ENOSYS)


def _only_local(inner: _Program) -> None:
    _only(inner, (socket.AF_UNIX,), errno.EACCES)


def _only_connected(inner: _Program) -> None:
    """Of local pairs, those that stay one: a socket for datagrams can be pointed at anybody's."""
    inner.add(_EQUAL, socket.AF_UNIX, 1, 0)
    inner.add(_RETURN, _ERROR | errno.EACCES)
    inner.add(_LOAD, _FIRST_ARGUMENT + 8)
    inner.add(_AND, 0xF)  # the rest are flags
    for kind in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET):
        inner.add(_EQUAL, kind, 0, 1)
        inner.add(_RETURN, _ALLOW)
    inner.add(_RETURN, _ERROR | errno.EACCES)


def _refuse_commands(made: _Program, call: str, argument: int, commands: Sequence[int]) -> None:
    def body(inner: _Program) -> None:
        for command in commands:
            inner.add(_EQUAL, command, 0, 1)
            inner.add(_RETURN, _ERROR | errno.EPERM)
        inner.add(_RETURN, _ALLOW)

    made.by_argument(call, body, argument=argument)


def _refuse_truncation(made: _Program) -> None:
    """Cutting files by name, or by opening them for anything but writing."""

    def body(inner: _Program) -> None:
        inner.add(_AND, os.O_TRUNC | os.O_ACCMODE)
        for mode in (os.O_RDONLY, os.O_ACCMODE):  # the latter opens for neither, and cuts, too
            inner.add(_EQUAL, os.O_TRUNC | mode, 0, 1)
            inner.add(_RETURN, _ERROR | errno.EACCES)
        inner.add(_RETURN, _ALLOW)

    made.refuse("truncate", errno.EACCES)
    made.refuse("openat2", errno.ENOSYS)  # its flags lie behind a pointer
    for call, argument in (("open", 1), ("openat", 2)):
        if has(call):
            made.by_argument(call, body, argument=argument)


def _without_namespaces(inner: _Program) -> None:
    inner.add(_ANY_BIT, _NEW_NAMESPACES, 0, 1)
    inner.add(_RETURN, _ERROR | errno.EPERM)
    inner.add(_RETURN, _ALLOW)


def _without_large_buffers(inner: _Program) -> None:
    for option in _BUFFER_SIZES:
        inner.add(_EQUAL, option, 0, 1)
        inner.add(_RETURN, _ERROR | 0)
    inner.add(_RETURN, _ALLOW)


def _only(inner: _Program, allowed: Sequence[int], code: int) -> None:
    for value in allowed:
        inner.add(_EQUAL, value, 0, 1)
        inner.add(_RETURN, _ALLOW)
    inner.add(_RETURN, _ERROR | code)
