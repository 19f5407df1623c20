"""Writes a class of invented hand-ins for Home Work 3 whose code points are known beforehand.

A script is put together from parts that may be combined freely: how the layers are split over
the GPUs, how they are held and run, the training script around them, names and comments. A
mistake takes the place of one part; its points follow from what it does. Hostile scripts hold
all layers on cuda:0, and so earn nothing whatever their attack does.
"""

from __future__ import annotations

import random
import shutil
import textwrap
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

Points = tuple[float, float, float]  # of the criteria below
CRITERIA = ("t3.detect", "t3.even", "t4.run")
FULL: Points = (1.0, 1.0, 1.0)
NOTHING: Points = (0.0, 0.0, 0.0)

HOSTILE_SHARE, WRONG_SHARE = 0.05, 0.35


@dataclass(frozen=True)
class HandIn:
    """One student's; `kind` is what is right or wrong about it."""

    id: str
    kind: str
    code: str
    expected: Points
    hostile: bool = False


@dataclass(frozen=True)
class _Parts:
    """Lines of a script; WIDTH, DEEP and NAME stand for the student's own names."""

    split: str  # sets gpu_of, the GPU of each layer
    hold: str  # sets the modules
    run: str  # the rest of forward(x)
    before: str = ""  # at the top of the file
    start: str = ""  # of forward


_BY_FORMULA = "gpu_of = [i * n // DEEP for i in range(DEEP)]"
#: Even splits in which neighbours stay together.
_TOGETHER = [
    _BY_FORMULA,
    """\
    base, extra = divmod(DEEP, n)
    gpu_of = []
    for gpu in range(n):
        gpu_of += [gpu] * (base + (1 if gpu < extra else 0))""",
    "gpu_of = [g for g in range(n) for _ in range(g * DEEP // n, (g + 1) * DEEP // n)]",
    """\
    gpu_of = []
    for gpu in range(n):
        # the last GPUs take the remainder, one each
        gpu_of.extend([gpu] * (DEEP // n + int(gpu >= n - DEEP % n)))""",
]
_IN_TURNS = ["gpu_of = [i % n for i in range(DEEP)]"]

_PAIRS = """\
    self.layers = nn.ModuleList()
    for gpu in gpu_of:
        layer = nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.ReLU())
        self.layers.append(layer.to(f"cuda:{gpu}"))"""
_RUN_PAIRS = """\
    for layer in self.layers:
        x = x.to(next(layer.parameters()).device)
        x = layer(x)
    return x"""
_APART = """\
    self.linears = nn.ModuleList(nn.Linear(WIDTH, WIDTH).cuda(g) for g in gpu_of)
    self.relus = nn.ModuleList(nn.ReLU() for _ in gpu_of)"""
_RUN_APART = """\
    for linear, relu in zip(self.linears, self.relus):
        x = relu(linear(x.to(linear.weight.device)))
    return x"""
_ON_DEVICES = """\
    self.devices = [torch.device("cuda", gpu) for gpu in gpu_of]
    self.linears = nn.ModuleList()
    for device in self.devices:
        self.linears.append(nn.Linear(WIDTH, WIDTH, device=device))"""
_RUN_ON_DEVICES = """\
    for device, linear in zip(self.devices, self.linears):
        x = torch.relu(linear(x.to(device)))
    return x"""
_CHUNKS = """\
    self.stages = nn.ModuleList()
    for gpu in range(n):
        stage = []
        for _ in range(gpu_of.count(gpu)):
            stage += [nn.Linear(WIDTH, WIDTH), nn.ReLU()]
        self.stages.append(nn.Sequential(*stage).to(f"cuda:{gpu}"))"""
_RUN_CHUNKS = """\
    for gpu, stage in enumerate(self.stages):
        x = stage(x.to(f"cuda:{gpu}"))
    return x"""
_HELD = [(_PAIRS, _RUN_PAIRS), (_APART, _RUN_APART), (_ON_DEVICES, _RUN_ON_DEVICES)]

#: Wrong splits, which go with every way to hold layers.
_WRONG_SPLITS: dict[str, tuple[Points, str]] = {
    "two GPUs": ((0, 0, 0.5), "gpu_of = [0 if i < DEEP // 2 else 1 for i in range(DEEP)]"),
    "rounded up": ((1, 0.5, 1), "gpu_of = [i // -(-DEEP // n) for i in range(DEEP)]"),
    "rest on the last": (
        (1, 0.5, 1),
        "gpu_of = [min(i // max(DEEP // n, 1), n - 1) for i in range(DEEP)]",
    ),
    "four at most": ((0.5, 0, 0.5), "n = min(n, 4)\n" + _BY_FORMULA),
    "numbered from 1": (NOTHING, "gpu_of = [1 + i * n // DEEP for i in range(DEEP)]"),
    "GPU 0 left free": (NOTHING, "gpu_of = [1 + i * (n - 1) // DEEP for i in range(DEEP)]"),
    "refuses one GPU": (
        (0.5, 1, 1),
        'if n < 2:\n    raise RuntimeError("needs at least 2 GPUs")\n' + _BY_FORMULA,
    ),
    "rest is dropped": ((1, 0.5, 1), "gpu_of = [g for g in range(n) for _ in range(DEEP // n)]"),
}


def _changed(old: str, new: str) -> str:
    """The usual forward, with one thing about it changed."""
    assert old in _RUN_PAIRS
    return _RUN_PAIRS.replace(old, new)


#: Wrong ways to run pairs of Linear and ReLU, which go with every right split.
_WRONG_RUNS: dict[str, tuple[Points, str]] = {
    "never moved": (
        (1, 1, 0),
        _changed("x = x.to(next(layer.parameters()).device)", "# layers know where they are"),
    ),
    "moved, not kept": ((1, 1, 0), _changed("x = x.to", "x.to")),
    "one layer skipped": ((1, 1, 0), _changed("self.layers:", "self.layers[:-1]:")),
    "backwards": ((1, 1, 0), _changed("self.layers:", "reversed(self.layers):")),
    "output detached": ((1, 1, 0), _changed("return x", "return x.detach()")),
    "no ReLU": ((1, 1, 0), _changed("x = layer(x)", "x = layer[0](x)")),
    "no gradients": (
        (1, 1, 0),
        "    with torch.no_grad():\n" + textwrap.indent(_RUN_PAIRS, "    "),
    ),
    "input ignored": ((1, 1, 0), "    x = torch.zeros_like(x)\n" + _RUN_PAIRS),
}

#: Attacks: at the top of the file, and at the start of forward.
_ATTACKS: dict[str, tuple[str, str]] = {
    "endless loop": ("", "while True:\n    pass"),
    "sleeps": ("import time", "time.sleep(10**6)"),
    "memory": ("", "hoard = [bytearray(b'x') * 2**28 for _ in range(10**6)]"),
    "forks": (
        "import os, time",
        "for _ in range(2000):\n    if os.fork() == 0:\n        time.sleep(10**6)",
    ),
    "threads": (
        "import threading, time",
        "for _ in range(2000):\n    threading.Thread(target=time.sleep, args=(10**6,)).start()",
    ),
    "floods": ("", "while True:\n    print('x' * 65536)"),
    "fills the disk": (
        "",
        "for i in range(10**6):\n    open(f'{i}.bin', 'wb').write(bytes(2**24))",
    ),
    "exits": ("import os", "os._exit(0)"),
    "leaves at import": ("import sys\nsys.exit(0)", ""),
    "kills its parent": ("import os, signal\nos.kill(os.getppid(), signal.SIGKILL)", ""),
    "kills everything": ("import os, signal", "os.kill(-1, signal.SIGKILL)"),
    "crashes": ("import ctypes", "ctypes.string_at(0)"),
    "recursion": ("", "self.forward(x)"),
    "claims one GPU": ("torch.cuda.device_count = lambda: 1", ""),
    "moves nothing": (
        "torch.Tensor.to = lambda self, *a, **k: self\nnn.Module.to = lambda self, *a, **k: self",
        "",
    ),
    "forged frames": (
        "import os",
        "for file in range(3, 64):\n    try:\n        os.write(file, b'\\x02\\0\\0\\0{}')\n"
        "    except OSError:\n        pass",
    ),
    "writes results": (
        "import atexit, pathlib\n"
        "atexit.register(lambda: [pathlib.Path(p, 'score.json').write_text('{\"total\": 15}')"
        " for p in ('.', '..', '/tmp')])",
        "",
    ),
    "equal to everything": (
        "class Equal:\n    __eq__ = __lt__ = __le__ = __gt__ = __ge__ = lambda *_: True\n"
        "    __hash__ = None\n    __getattr__ = lambda self, name: self\n"
        "    __call__ = lambda self, *a, **k: self",
        "return Equal()",
    ),
}

_TRAINING = """\
model = NAME(DIM, DEPTH)
optimizer = optim.SGD(model.parameters(), lr=0.01)
loss_fn = nn.MSELoss()
for step in range(STEPS):
    x = torch.randn(BATCH_SIZE, DIM).to("cuda:0")
    optimizer.zero_grad()
    output = model(x)
    loss = loss_fn(output, torch.randn(BATCH_SIZE, DIM).to(output.device))
    loss.backward()
    optimizer.step()
    print(f"Step {step}: loss {loss.item():.4f}")
"""
_INDENTED = textwrap.indent(_TRAINING, "    ")
_SCRIPTS = [
    _TRAINING,
    f'if __name__ == "__main__":\n{_INDENTED}',
    f'def main():\n{_INDENTED}\n\nif __name__ == "__main__":\n    main()\n',
    "",
]

_NAMES = ["LargeLinearModelMP", "LargeLinearModelMP", "MyModel", "LayerwiseModel", "BigMLP"]
_PARAMETERS = [("dim", "depth"), ("dim", "depth"), ("hidden_size", "num_layers")]
_COMMENTS = [
    "",
    "# Home Work 3",
    "# works on my machine :-)",
    "# TASK 3: all GPUs",
    "# Aufgabe 3 – Größe",
]
_FILES = ["hw3.py", "hw3.py", "homework3.py", "main.py", "src/model.py"]


def make_class(folder: Path, size: int, seed: int, report: Path) -> list[HandIn]:
    """Write `size` hand-ins into `folder`, as folders and zips; most hold the `report`, a PDF."""
    draw = random.Random(seed)
    hand_ins = []
    for number in range(1, size + 1):
        hand_in = _hand_in(draw, f"student-{number:04}", size, number)
        _write(draw, folder, hand_in, report)
        hand_ins.append(hand_in)
    return hand_ins


def _hand_in(draw: random.Random, id_: str, size: int, number: int) -> HandIn:
    every = round(1 / HOSTILE_SHARE)
    if number % every == min(size, every) // 2:
        kinds = list(_ATTACKS)
        return _hostile(draw, id_, kinds[number // every % len(kinds)])
    if draw.random() < WRONG_SHARE:
        return _wrong(draw, id_)
    if draw.random() < 0.3:
        parts = _Parts(draw.choice(_TOGETHER), _CHUNKS, _RUN_CHUNKS)
    else:
        parts = _Parts(draw.choice(_TOGETHER + _IN_TURNS), *draw.choice(_HELD))
    return HandIn(id_, "right", _script(draw, parts), FULL)


def _wrong(draw: random.Random, id_: str) -> HandIn:
    kind = draw.choice([*_WRONG_SPLITS, *_WRONG_RUNS, "on the CPU", "syntax error"])
    right = _Parts(draw.choice(_TOGETHER + _IN_TURNS), _PAIRS, _RUN_PAIRS)
    if kind in _WRONG_SPLITS:
        expected, split = _WRONG_SPLITS[kind]
        return HandIn(id_, kind, _script(draw, _Parts(split, *draw.choice(_HELD))), expected)
    if kind in _WRONG_RUNS:
        expected, run = _WRONG_RUNS[kind]
        return HandIn(id_, kind, _script(draw, replace(right, run=run)), expected)
    if kind == "on the CPU":
        hold = _PAIRS.replace('layer.to(f"cuda:{gpu}")', "layer")
        return HandIn(id_, kind, _script(draw, replace(right, hold=hold)), NOTHING)
    return HandIn(id_, kind, _script(draw, right).replace("(nn.Module):", "(nn.Module)"), NOTHING)


def _hostile(draw: random.Random, id_: str, kind: str) -> HandIn:
    before, start = _ATTACKS[kind]
    parts = _Parts("gpu_of = [0] * DEEP", _PAIRS, _RUN_PAIRS, before, start)
    return HandIn(id_, kind, _script(draw, parts), NOTHING, hostile=True)


def _script(draw: random.Random, parts: _Parts) -> str:
    name, (width, deep) = draw.choice(_NAMES), draw.choice(_PARAMETERS)
    body = [
        draw.choice(_COMMENTS),
        "import torch\nimport torch.nn as nn\nimport torch.optim as optim",
        parts.before,
        f"DIM = {draw.choice([1024, 4096, 8192])}\nDEPTH = 20\nBATCH_SIZE = 64\nSTEPS = 20\n",
        "class NAME(nn.Module):\n    def __init__(self, WIDTH, DEEP):",
        _inside("super().__init__()\nn = torch.cuda.device_count()"),
        _inside(parts.split),
        _inside(parts.hold),
        "\n    def forward(self, x):",
        _inside(parts.start),
        _inside(parts.run),
        "\n",
        draw.choice(_SCRIPTS),
    ]
    text = "\n".join(part for part in body if part)
    return text.replace("WIDTH", width).replace("DEEP", deep).replace("NAME", name)


def _inside(lines: str) -> str:
    return textwrap.indent(textwrap.dedent(lines), " " * 8)


def _write(draw: random.Random, folder: Path, hand_in: HandIn, report: Path) -> None:
    student = folder / hand_in.id
    file = student / draw.choice(_FILES)
    file.parent.mkdir(parents=True)
    file.write_text(f"# {hand_in.id}\n{hand_in.code}", "utf-8")
    if draw.random() < 0.9:
        shutil.copy(report, student / "report.pdf")
    if draw.random() < 0.4:
        _zip(student)


def _zip(folder: Path) -> None:
    """Put a folder into an archive of its name; the same bytes each time."""
    with zipfile.ZipFile(folder.with_suffix(".zip"), "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                name = path.relative_to(folder.parent).as_posix()
                archive.writestr(zipfile.ZipInfo(name), path.read_bytes())
    shutil.rmtree(folder)
