"""What computers leave in folders and no student means to hand in."""

from __future__ import annotations

_WHY = {
    "__macosx": "data of macOS",
    "desktop.ini": "data of Windows",
    "thumbs.db": "data of Windows",
    "__pycache__": "compiled Python",
    "site-packages": "installed packages",
    "node_modules": "installed packages",
    ".git": "version history",
    ".ds_store": "data of macOS",
    ".ipynb_checkpoints": "copies made by Jupyter",
    ".venv": "a virtual environment",
}

#: The file that makes a folder a virtual environment, whatever the folder is called.
ENVIRONMENT = "pyvenv.cfg"


def why_junk(name: str) -> str | None:
    """Why a file or folder of this name is passed over; None for one that counts."""
    why = _WHY.get(name.lower())
    if why is not None:
        return why
    if name.startswith("."):
        return "a hidden file"
    if name.startswith("~$"):
        return "a lock file of an office program"
    return "compiled Python" if name.endswith((".pyc", ".pyo")) else None
