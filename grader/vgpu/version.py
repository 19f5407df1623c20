"""Which versions of torch virtual GPUs are made for."""

from __future__ import annotations

import re

from grader.errors import UsageError

OLDEST, NEWEST = (2, 9), (2, 15)
_SUPPORTED = "2.9 to 2.15"


def check_torch() -> None:
    """UsageError without torch, or with a version nobody has tried; nothing else is touched."""
    try:
        from torch import __version__ as found
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise UsageError(
            "virtual GPUs need torch, which is not installed", do="pip install 'torch>=2.9,<2.16'"
        ) from None
    numbers = re.match(r"(\d+)\.(\d+)", str(found))
    if numbers is None or not OLDEST <= (int(numbers[1]), int(numbers[2])) <= NEWEST:
        raise UsageError(
            "this version of torch does not work with virtual GPUs",
            expected=_SUPPORTED,
            found=str(found),
            do="pip install 'torch>=2.9,<2.16'",
        )
