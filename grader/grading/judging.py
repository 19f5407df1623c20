"""A warm interpreter that forks one judging process per task.

Each hand-in is judged in a process of its own: what it makes the judge allocate is gone with it,
and a crash costs one try. A fork of an interpreter that has imported pytest, NumPy and reportlab
costs a few milliseconds; starting one costs a second.

    grade (owner) -> this -> judging process (one task; ends when the owner closes its pipe)
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import resource
import signal
import socket
import sys
import threading
from multiprocessing.connection import Connection
from typing import NoReturn

from grader.sandbox.kernel import pages

_CPU_SECONDS = 1800  # a judging process that computes for so long has a fault of ours


def main() -> None:
    """Arguments: the owner's socket, and in JSON {"path": sys.path, "within": [NAME, ...]}.

    NAME is a "module:function" that gets warm and calls its first argument; more may follow.
    """
    owner = socket.socket(fileno=int(sys.argv[1]))
    settings = json.loads(sys.argv[2])
    sys.path[:] = settings["path"]
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the owner's to handle
    within, *arguments = settings["within"]
    module, _, function = within.partition(":")
    getattr(importlib.import_module(module), function)(lambda: serve(owner), *arguments)


def serve(owner: socket.socket) -> NoReturn:
    """Fork a judging process per task until the owner is gone."""
    gc.collect()
    gc.freeze()  # the collector would write to, and so copy, every shared page
    gc.disable()  # nor does a process of a second or two need one
    pages.collapse()
    owner.send(b"1")  # warm
    children: set[int] = set()
    while True:
        message, files, *_ = socket.recv_fds(owner, 1, 1)
        _reap(children)
        if not message:
            _end(children)
            os._exit(0)
        child = os.fork()
        if child == 0:
            owner.close()
            _judge(Connection(files[0]))
        children.add(child)
        os.close(files[0])


def _judge(pipe: Connection) -> None:
    """One task, to its end; an answer only where it came to one."""
    code = 1
    sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__  # pytest has its own meanwhile
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
        task, item = pipe.recv()
        threading.Thread(target=_end_with_owner, args=(pipe,), daemon=True).start()
        pipe.send(task(item))
        code = 0
    except Exception:
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(code)


def _end_with_owner(pipe: Connection) -> None:
    pipe.poll(None)  # nothing more is ever sent, so this is its end
    os._exit(1)


def _reap(children: set[int]) -> None:
    """Collect those that have ended, so that their processor time is counted as ours."""
    for child in list(children):
        if os.waitpid(child, os.WNOHANG)[0]:
            children.discard(child)


def _end(children: set[int]) -> None:
    for child in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
