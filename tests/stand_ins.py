"""What tests put in place of the real thing: a student's model, and workers that lie."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

from grader.sandbox.ended import Ended, from_status
from grader.sandbox.host import Started
from grader.sandbox.options import WorkerOptions

#: A model as students write it; tests change one thing about it.
MODEL = """\
import torch
import torch.nn as nn

DIM = 4096
DEPTH = 20


class LargeLinearModelMP(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
        gpus = torch.cuda.device_count()
        self.layers = nn.ModuleList()
        for i in range(depth):
            layer = nn.Sequential(nn.Linear(dim, dim), nn.ReLU())
            self.layers.append(layer.to(f"cuda:{i * gpus // depth}"))

    def forward(self, x):
        for layer in self.layers:
            x = x.to(next(layer.parameters()).device)
            x = layer(x)
        return x
"""


FAKE = """\
import json, os, struct, sys, time
def send(header, *buffers, sizes=None):
    header = header | {"buffers": [len(b) for b in buffers] if sizes is None else sizes}
    text = json.dumps(header).encode()
    raw(struct.pack("<I", len(text)) + text + b"".join(buffers))
def raw(data):
    sys.stdout.buffer.write(data); sys.stdout.buffer.flush()
def request():
    (length,) = struct.unpack("<I", sys.stdin.buffer.read(4))
    header = json.loads(sys.stdin.buffer.read(length))
    for size in header.pop("buffers"): sys.stdin.buffer.read(size)
    return header
def facts(value): return json.dumps(value).encode()
"""


class FakeLauncher:
    """Starts "workers" that run the given script instead of ours; remembers their processes."""

    def __init__(self, script: str) -> None:
        self.script = FAKE + textwrap.dedent(script)
        self.processes: list[subprocess.Popen[bytes]] = []

    def launch(self, folder: Path, options: WorkerOptions) -> Started:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", self.script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self.processes.append(process)

        def kill() -> None:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)

        def wait(seconds: float) -> Ended | None:
            try:
                return from_status(process.wait(seconds))
            except subprocess.TimeoutExpired:
                return None

        return Started(process.stdin, process.stdout, process.stderr, kill, wait)


def alive(pid: int) -> bool:
    """Whether a process still runs (a zombie does not)."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] not in "ZX"
