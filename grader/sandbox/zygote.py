"""A warm interpreter that forks one worker per request. Linux only.

It imports torch once and runs no op: an op or a `backward()` here would start threads that a
fork does not copy, and its children would hang. No student code ever runs in it.

    zygote -> supervisor (own session; waits, tells how it ended) -> worker (student code)
"""

from __future__ import annotations

import gc
import json
import os
import socket
import sys
import traceback
from collections.abc import Callable

from grader.records import Json

READY = b"ready"
REQUEST_LIMIT = 64 * 1024


def main() -> None:
    control = socket.socket(fileno=int(sys.argv[1]))
    _warm_up()
    control.send(READY)
    while True:
        message, files, *_ = socket.recv_fds(control, REQUEST_LIMIT, 4)
        _reap()
        if not message:
            os._exit(0)  # nothing here needs the interpreter's long farewell
        if os.fork() == 0:
            control.close()
            _in_child(_supervise, json.loads(message), files)
        for file in files:
            os.close(file)


def _reap() -> None:
    """Collect supervisors that have ended, so that their CPU time is counted as ours."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            continue
    except ChildProcessError:
        return  # there is none left


def _warm_up() -> None:
    """Import what every worker needs; only imports, no op.

    The first `Module.to` and the first backward pass import two large packages: half a second
    each, for every worker, unless they are here already.
    """
    import torch._dynamo
    import torch.distributed.tensor  # noqa: F401

    from grader.sandbox import limits, probes, worker  # noqa: F401
    from grader.vgpu import machine, runtime  # noqa: F401

    machine.prepare()
    gc.collect()
    gc.freeze()  # the collector would write to, and so copy, every shared page


def _supervise(request: Json, files: list[int]) -> None:
    """Start the worker, wait for it, and write how it ended to the last of `files`."""
    os.setsid()
    *pipes, status = files
    os.write(status, f"{os.getpid()}\n".encode())
    child = os.fork()
    if child == 0:
        os.close(status)
        _in_child(_work, request, pipes)
    for pipe in pipes:
        os.close(pipe)
    _, code = os.waitpid(child, 0)
    os.write(status, f"{os.waitstatus_to_exitcode(code)}\n".encode())


def _work(request: Json, pipes: list[int]) -> None:
    for number, pipe in enumerate(pipes):
        os.dup2(pipe, number)
        os.close(pipe)
    os.environ.clear()
    os.environ.update(request["environment"])
    from grader.sandbox import worker

    worker.main(request["arguments"])


def _in_child(task: Callable[[Json, list[int]], None], request: Json, files: list[int]) -> None:
    """Run `task` in a forked child and leave without running the parent's clean-up."""
    code = 1
    try:
        task(request, files)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
