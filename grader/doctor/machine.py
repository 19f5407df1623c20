"""What a person who reports a problem is asked about their machine."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from grader.reports.fonts import face_for

#: A name in each script; reportlab prints no script that is shaped or runs from right to left.
_SCRIPTS = {
    "Latin": "Õnne Žukova",
    "Cyrillic": "Кузнецова",
    "Greek": "Παπαδοπούλου",
    "Vietnamese": "Nguyễn",
    "Chinese": "王小明",
    "Korean": "김민준",
    "Arabic": "ليلى",
}


@dataclass(frozen=True)
class Fact:
    """One line; `ok` is False where something that grading needs is missing."""

    name: str
    text: str
    ok: bool = True


def facts() -> Iterator[Fact]:
    """Facts of this machine, without importing torch."""
    yield Fact("Python", f"{platform.python_version()} on {platform.platform(terse=True)}")
    try:
        yield Fact("torch", version("torch"))
    except PackageNotFoundError:
        yield Fact("torch", "not installed: pip install 'torch>=2.9,<2.16'", ok=False)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 30
    yield Fact("machine", f"{os.cpu_count()} processors, {memory} GB of memory")
    yield Fact("GPUs", _gpus() or "none; hand-ins run on virtual GPUs")
    yield Fact("Slurm", shutil.which("sbatch") or "none; not needed")
    missing = [name for name, text in _SCRIPTS.items() if not all(map(face_for, text))]
    printed = ", ".join(name for name in _SCRIPTS if name not in missing)
    also = f"; reports show the id in place of names in {', '.join(missing)}" if missing else ""
    yield Fact("fonts", printed + also, ok="Latin" not in missing)


def _gpus() -> str | None:
    """The real GPUs, as their driver lists them; None where there is no driver."""
    if shutil.which("nvidia-smi") is None:
        return None
    command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    return ", ".join(done.stdout.split("\n")).strip(", ") or None
