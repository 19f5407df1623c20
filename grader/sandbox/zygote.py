"""A warm interpreter that forks one sandbox per request. Linux only.

It imports torch once and runs no op: an op or a `backward()` here would start threads that a
fork does not copy, and its children would hang. No student code and no secret is ever in it.

    zygote -> supervisor (watches, ends) -> keeper (process 1 inside) -> student code
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import traceback

from grader.sandbox import place, rehearsal, supervisor
from grader.sandbox.kernel import pages, processes
from grader.sandbox.kernel.calls import PR_SET_DUMPABLE, prctl
from grader.sandbox.request import LONGEST, TAKEN, Request
from grader.sandbox.supervisor import Surroundings

FILES = 4  # what comes with a request: commands, results, output, control


def main() -> None:
    """`python -m grader.sandbox.zygote OWNER LISTENING JSON`: two descriptors, and settings."""
    owner = socket.socket(fileno=int(sys.argv[1]))
    listening = socket.socket(fileno=int(sys.argv[2]))
    settings = json.loads(sys.argv[3])
    prctl(PR_SET_DUMPABLE, 0)  # no process of the same user may read or trace us
    scratch = settings["scratch"]
    features = rehearsal.find_features(scratch, settings["without"])
    _warm_up(settings["preload"])
    owner.sendall(json.dumps(features.to_json()).encode() + b"\n")
    _serve(owner, listening, Surroundings(features, scratch, processes.memory().own))


def _warm_up(preload: list[str]) -> None:
    """Import what every program needs, "module" or "module:function to call"; no op."""
    for name in preload:
        module, _, function = name.partition(":")
        imported = importlib.import_module(module)
        if function:
            getattr(imported, function)()
    place.readable()
    gc.collect()
    gc.freeze()  # the collector would write to, and so copy, every shared page
    pages.collapse()


def _serve(owner: socket.socket, listening: socket.socket, around: Surroundings) -> None:
    """Fork a supervisor per connection until the owner is gone."""
    events = select.poll()
    events.register(owner, select.POLLIN | select.POLLRDHUP)
    events.register(listening, select.POLLIN)
    while True:
        ready = {file for file, _ in events.poll()}
        if owner.fileno() in ready:
            _reap(0)  # all have lost their graders, and end
            os._exit(0)  # nothing here needs the interpreter's long farewell
        _reap(os.WNOHANG)
        connection, _ = listening.accept()
        with connection:
            message, files, *_ = socket.recv_fds(connection, LONGEST, FILES)
            if len(files) == FILES and os.fork() == 0:
                _in_child(message, files, around, [owner, listening, connection])
            for file in files:
                os.close(file)
            connection.send(TAKEN)


def _reap(options: int) -> None:
    """Collect supervisors that have ended, so that their processor time is counted as ours."""
    try:
        while os.waitpid(-1, options)[0]:
            continue
    except ChildProcessError:
        return  # there is none left


def _in_child(
    message: bytes, files: list[int], around: Surroundings, ours: list[socket.socket]
) -> None:
    """Supervise one request, and leave without running the zygote's clean-up."""
    try:
        for sock in ours:
            sock.close()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        *pipes, control = files
        request = Request.from_bytes(message)
        supervisor.supervise(request, around, pipes, socket.socket(fileno=control))
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(0)


if __name__ == "__main__":
    main()
