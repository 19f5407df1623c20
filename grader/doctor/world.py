"""What a hostile program is let loose on: secrets, files, ports, and a process of the same user."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_TEXT = "as it was\n"


@dataclass
class World:
    """Planted things, all of them open to every user of the machine."""

    folder: Path
    token: str
    victim: subprocess.Popen[bytes]
    tcp: socket.socket
    unix: socket.socket
    abstract: socket.socket
    datagrams: socket.socket
    segment: int

    def __post_init__(self) -> None:
        self._as_planted = {name: self._changed_at(name) for name in ("outside", "secret")}

    def _changed_at(self, name: str) -> int:
        """When the file, or anything about it, was changed last: nobody can set this time."""
        return (self.folder / name).stat().st_ctime_ns

    def described(self) -> str:
        """What the programs are told: hiding the place is no protection."""
        return json.dumps(
            {
                "secret": str(self.folder / "secret"),
                "outside": str(self.folder / "outside"),
                "socket": str(self.folder / "socket"),
                "datagrams": str(self.folder / "socket-datagrams"),
                "name": self.abstract.getsockname()[1:].decode(),
                "port": self.tcp.getsockname()[1],
                "segment": self.segment,
                "victim": self.victim.pid,
                "grader": os.getpid(),
            }
        )

    def damage(self) -> Iterator[str]:
        """What is not as it was; empty where all is well."""
        names = {path.name for path in self.folder.iterdir()} if self.folder.exists() else set()
        if names != {"secret", "outside", "socket", "socket-datagrams"}:
            yield f"the folder outside holds {', '.join(sorted(names)) or 'nothing'}"
        for name, text in (("outside", _TEXT), ("secret", self.token)):
            path = self.folder / name
            if not path.is_file() or path.stat().st_mode & 0o777 != 0o666:
                yield f"{name} was changed"
            elif path.stat().st_mtime == 0:
                yield f"{name} was given another time"
            elif path.read_text("utf-8") != text:
                yield f"{name} was overwritten"
            elif self._changed_at(name) != self._as_planted[name]:
                yield f"{name} was given attributes or links"
        if self.segment not in _segments():
            yield "shared memory outside was removed"
        if self.victim.poll() is not None:
            yield "another process was ended"
        elif _state(self.victim.pid) == "T":
            yield "another process was stopped"
        for listening in (self.tcp, self.unix, self.abstract):
            with contextlib.suppress(BlockingIOError):
                listening.accept()[0].close()
                yield "a connection came out of the sandbox"
        with contextlib.suppress(BlockingIOError):
            self.datagrams.recv(100)
            yield "a datagram came out of the sandbox"


@contextlib.contextmanager
def planted() -> Iterator[World]:
    """Plant a world, and remove it."""
    token = secrets.token_hex(16)
    folder = Path(tempfile.mkdtemp(prefix="grade-doctor-"))
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        stack.enter_context(_inherited(token))
        (folder / "secret").write_text(token, "utf-8")
        (folder / "outside").write_text(_TEXT, "utf-8")
        tcp = stack.enter_context(_listening(socket.AF_INET, ("127.0.0.1", 0)))
        unix = stack.enter_context(_listening(socket.AF_UNIX, str(folder / "socket")))
        abstract = stack.enter_context(_listening(socket.AF_UNIX, f"\0grade-doctor-{os.getpid()}"))
        datagrams = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        datagrams.bind(str(folder / "socket-datagrams"))
        datagrams.setblocking(False)
        for name in ("secret", "outside", "socket-datagrams"):
            (folder / name).chmod(0o666)
        folder.chmod(0o777)
        victim = stack.enter_context(_victim(token))
        segment = stack.enter_context(_segment(token))
        yield World(folder, token, victim, tcp, unix, abstract, datagrams, segment)


@contextlib.contextmanager
def _inherited(token: str) -> Iterator[None]:
    """The token in the environment, and in a file that children inherit."""
    os.environ["GRADE_DOCTOR_SECRET"] = token
    with tempfile.TemporaryFile() as file:
        file.write(token.encode())
        file.flush()
        os.set_inheritable(file.fileno(), True)
        try:
            yield
        finally:
            del os.environ["GRADE_DOCTOR_SECRET"]


@contextlib.contextmanager
def _victim(token: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process of ours in a group of its own, with the token in its environment."""
    command = [sys.executable, "-S", "-c", "import time; time.sleep(3600)"]
    environment = os.environ | {"GRADE_DOCTOR_SECRET": token}
    victim = subprocess.Popen(command, env=environment, start_new_session=True)
    try:
        yield victim
    finally:
        victim.kill()
        victim.wait()


@contextlib.contextmanager
def _segment(token: str) -> Iterator[int]:
    """A number of System V shared memory that holds the token, open to everybody."""
    libc = ctypes.CDLL(None)
    libc.shmat.restype = ctypes.c_void_p
    number = libc.shmget(0, 4096, 0o1666)  # a private key, created
    address = ctypes.c_void_p(libc.shmat(number, None, 0))
    ctypes.memmove(address, token.encode(), len(token))
    try:
        yield number
    finally:
        libc.shmdt(address)
        libc.shmctl(number, 0, None)


def _segments() -> set[int]:
    """Of this machine, less those that go when the last process lets go of them."""
    lines = Path("/proc/sysvipc/shm").read_text("ascii").splitlines()[1:]
    found = (line.split()[:3] for line in lines)
    return {int(number) for _, number, mode in found if not int(mode, 8) & 0o1000}


@contextlib.contextmanager
def _listening(family: socket.AddressFamily, address: object) -> Iterator[socket.socket]:
    with socket.socket(family, socket.SOCK_STREAM) as listening:
        listening.bind(address)  # type: ignore[arg-type]
        listening.listen()
        listening.setblocking(False)
        yield listening


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0]
