"""Hand-ins that put every layer on cuda:0 and still want the points, each by another trick.

`FORGERIES` holds, by name, the trick: code in which `attack()` is called when the model is made.
"""

from __future__ import annotations

import textwrap

_MODEL = """
import torch
import torch.nn as nn

DIM = 4096
DEPTH = 20
{trick}

class LargeLinearModelMP(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
        self.layers = nn.ModuleList()
        for _ in range(depth):
            self.layers.append(nn.Sequential(nn.Linear(dim, dim), nn.ReLU()).to("cuda:0"))
        attack(self)

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


if __name__ == "__main__":
    print(LargeLinearModelMP(DIM, DEPTH)(torch.randn(4, DIM, device="cuda:0")).sum())
"""

_TRICKS = {
    "runs_no_test": """
        import _pytest.python

        def attack(model):
            _pytest.python.Function.runtest = lambda self: None
        """,
    "reports_all_passed": """
        import _pytest.reports

        def attack(model):
            honest = _pytest.reports.TestReport.from_item_and_call.__func__
            def passed(cls, item, call):
                report = honest(cls, item, call)
                report.outcome, report.longrepr = "passed", None
                return report
            _pytest.reports.TestReport.from_item_and_call = classmethod(passed)
        """,
    "counts_no_failure": """
        import _pytest.main

        def attack(model):
            _pytest.main.Session.testsfailed = property(lambda self: 0, lambda self, value: None)
        """,
    "asserts_become_skips": """
        import builtins

        def attack(model):
            import pytest
            builtins.AssertionError = pytest.skip.Exception
        """,
    "finds_the_tests_by_gc": """
        import gc

        def attack(model):
            for thing in gc.get_objects():
                if type(thing).__name__ == "Function" and hasattr(thing, "runtest"):
                    type(thing).runtest = lambda self: None
        """,
    "finds_the_session_by_frames": """
        import sys

        def attack(model):
            frame = sys._getframe()
            while frame is not None:
                for name, value in list(frame.f_locals.items()):
                    if type(value).__name__ == "Session" and hasattr(value, "items"):
                        for item in value.items:
                            item.runtest = lambda: None
                frame = frame.f_back
        """,
    "next_says_another_device": """
        import builtins, itertools

        class Lying:
            def __init__(self, index): self.device = torch.device("cuda", index)

        def attack(model):
            honest, count = builtins.next, itertools.count()
            def lying(iterator, *default):
                found = honest(iterator, *default)
                if isinstance(found, nn.Parameter):
                    return Lying(count.__next__() % torch.cuda.device_count())
                return found
            builtins.next = lying
        """,
    "layers_lie_about_parameters": """
        def attack(model):
            for index, layer in enumerate(model.layers):
                device = torch.device("cuda", index % torch.cuda.device_count())
                lie = type("Lie", (), {"device": device})
                layer.parameters = lambda lie=lie: iter([lie])
        """,
    "parameters_of_part_of_a_model": """
        def attack(model):
            honest = nn.Module.parameters
            def lying(self, recurse=True):
                for at, layer in enumerate(model.layers):
                    if self is layer:
                        device = torch.device("cuda", at % torch.cuda.device_count())
                        return iter([type("Lie", (), {"device": device})])
                return honest(self, recurse)
            nn.Module.parameters = lying
        """,
    "leaves_a_moment_later": """
        import os, threading

        def attack(model):
            threading.Timer(0.01, os._exit, (0,)).start()
        """,
    "leaves_by_a_signal": """
        import os, signal

        def attack(model):
            signal.signal(signal.SIGALRM, lambda *_: os._exit(0))
            signal.setitimer(signal.ITIMER_REAL, 0.01)
        """,
    "leaves_when_a_test_fails": """
        import os
        import _pytest._code.code

        def attack(model):
            _pytest._code.code.ExceptionInfo.exconly = lambda *_, **__: os._exit(0)
            _pytest._code.code.ExceptionInfo.getrepr = lambda *_, **__: os._exit(0)
        """,
    "stops_at_the_first_failure_with_success": """
        import sys
        import _pytest.runner

        def attack(model):
            honest = _pytest.runner.CallInfo.from_call.__func__
            def swallowed(cls, func, *args, **kwargs):
                def quiet():
                    try:
                        return func()
                    except BaseException:
                        return None
                return honest(cls, quiet, *args, **kwargs)
            _pytest.runner.CallInfo.from_call = classmethod(swallowed)
        """,
}

FORGERIES = {name: _MODEL.format(trick=textwrap.dedent(trick)) for name, trick in _TRICKS.items()}
HONEST = (
    _MODEL.format(trick="def attack(model): ...\n")
    .replace("for _ in range(depth)", "for i in range(depth)")
    .replace('.to("cuda:0")', '.to(f"cuda:{i * torch.cuda.device_count() // depth}")')
    .replace("x = layer(x)", "x = layer(x.to(next(layer.parameters()).device))")
)
WRONG = _MODEL.format(trick="def attack(model): ...\n")
