"""The launcher that fits this machine, and what it protects."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from grader.errors import UsageError
from grader.records import Json
from grader.sandbox.cold import ColdLauncher
from grader.sandbox.environment import clean_environment
from grader.sandbox.features import Features, Rung
from grader.sandbox.host import Launcher
from grader.sandbox.limits import Limits
from grader.sandbox.reader import MODULES as READER_MODULES


@dataclass(frozen=True)
class Sandboxes:
    """Starts sandboxes for strangers' code. `protections` says what confines it, for score.json.

    `revive` starts again what may have died meanwhile.
    """

    launcher: Launcher
    protections: Json
    revive: Callable[[], None]


@contextmanager
def sandboxes(folder: Path | None = None, *, trust: bool = False) -> Iterator[Sandboxes]:
    """Sandboxes as good as this machine allows; their files go into `folder`.

    Raises UsageError where they would not confine strangers' code, unless `trust` is given.
    """
    if platform.system() != "Linux":
        features = Features().without("namespaces", f"{platform.system()} has none")
        _refuse(features, trust=trust)
        launcher = ColdLauncher(clean_environment(), Limits() if os.name == "posix" else None)
        yield Sandboxes(launcher, features.to_json(), revive=lambda: None)
        return
    from grader.sandbox.zygote_host import WORKER_MODULES, Zygote

    with Zygote(preload=(*WORKER_MODULES, *READER_MODULES), folder=folder) as zygote:
        _refuse(zygote.features, trust=trust)
        yield Sandboxes(zygote.launcher, zygote.features.to_json(), zygote.revive)


def _refuse(features: Features, *, trust: bool) -> None:
    if features.rung is not Rung.LIMITS or trust:
        return
    missing = "; ".join(f"{name}: {why}" for name, why in features.missing.items())
    raise UsageError(
        "this machine cannot confine students' code",
        expected="Linux with Landlock and seccomp, or with namespaces",
        found=missing,
        do="use the Dockerfile or another machine (`grade doctor` tells what it can do), or pass "
        "--trust-submissions if you know who wrote every line",
    )
