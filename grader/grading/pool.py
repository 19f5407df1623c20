"""Does tasks in parallel, each in a fresh process that is forked from a warm one."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, TypeVar

from grader.errors import InternalError
from grader.sandbox.interpreter import python_module

TRIES = 2
_LOOK = 1.0  # seconds between two calls of `tick`

Work = TypeVar("Work")
Result = TypeVar("Result")


@dataclass
class Pool(Generic[Work, Result]):
    """Does `size` tasks at a time. Use as a context manager: leaving it ends them at once.

    The warm process forks within a call: "module:function", and arguments for it. The function
    gets warm and calls its first argument, which does not return.
    """

    size: int
    within: Sequence[str]
    _running: dict[Connection, tuple[Work, int]] = field(default_factory=dict)
    _server: subprocess.Popen[bytes] | None = None
    _control: socket.socket | None = None
    _is_warm: bool = False

    @property
    def doing(self) -> list[Work]:
        """What is being worked at now."""
        return [item for item, _ in self._running.values()]

    def results(
        self, task: Callable[[Work], Result], work: Iterable[Work], look: Callable[[], None]
    ) -> Iterator[tuple[Work, Result | None]]:
        """Each piece of work with the task's result, as they come; taken when it is begun.

        All that goes to and from a process is pickled. A process that dies costs a try; None is
        the result of what died in every try. `look` is called every second or so.
        """
        fresh = iter(work)
        again: deque[tuple[Work, int]] = deque()
        while True:
            while len(self._running) < self.size and (begun := self._next(fresh, again)):
                self._running[self._start(task, begun[0])] = begun
            if not self._running:
                return
            look()
            for pipe in wait(list(self._running), timeout=_LOOK):
                assert isinstance(pipe, Connection)
                item, tries = self._running.pop(pipe)
                answer = _received(pipe)
                if answer is None and tries < TRIES:
                    again.append((item, tries + 1))
                else:
                    yield item, answer and answer[0]

    @staticmethod
    def _next(fresh: Iterator[Work], again: deque[tuple[Work, int]]) -> tuple[Work, int] | None:
        for item in fresh:
            return item, 1
        return again.popleft() if again else None

    def _start(self, task: Callable[[Work], Result], item: Work) -> Connection:
        ours, theirs = socket.socketpair()
        with theirs, ours:
            self._hand_over(theirs.fileno())
            pipe = Connection(ours.detach())
        pipe.send((task, item))
        return pipe

    def _hand_over(self, file: int) -> None:
        """Have a process forked that reads its task from `file`."""
        for _ in range(TRIES):
            try:
                socket.send_fds(self._warm(), [b"1"], [file])
            except OSError:
                self._close_server()  # somebody ended it: another one is started
            else:
                return
        raise InternalError("the process that starts judging processes keeps ending")

    # -------------------------------------------------------------- the warm interpreter

    def _warm(self) -> socket.socket:
        """The socket of the warm interpreter, once it is warm. Raises InternalError."""
        if self._control is None:
            self._open_server()
        assert self._control is not None
        if not self._is_warm:
            self._is_warm = bool(self._control.recv(1))
        if not self._is_warm:
            self._close_server()
            raise InternalError(
                "the process that judges hand-ins did not start", do="see the output above"
            )
        return self._control

    def _open_server(self) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        settings = {"path": sys.path, "within": list(self.within)}
        command = python_module("grader.grading.judging")
        with theirs:
            self._server = subprocess.Popen(
                [*command, str(theirs.fileno()), json.dumps(settings)],
                pass_fds=[theirs.fileno()],
                env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is ours to handle
            )

    def _close_server(self) -> None:
        if self._control is not None and self._server is not None:
            self._control.close()
            self._server.wait()
            self._control, self._is_warm = None, False

    def __enter__(self) -> Pool[Work, Result]:
        self._open_server()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End what is running; once is enough, twice does no harm."""
        for pipe in self._running:
            pipe.close()
        self._running.clear()
        self._close_server()


def _received(pipe: Connection) -> tuple[Any] | None:
    """What a process sent; None where it died before."""
    with pipe:
        try:
            return (pipe.recv(),)
        except (EOFError, ConnectionError):
            return None
