"""What `import torch` runs (entry point "torch.backends"): VGPU=5 in the environment suffices."""

from __future__ import annotations

import os


def load() -> None:
    """Switch virtual GPUs on where the environment asks for them; otherwise do nothing."""
    if os.environ.get("VGPU", "").strip():
        from grader.vgpu import install

        install()
