"""How many virtual GPUs are asked for."""

from __future__ import annotations

from grader.errors import UsageError

#: More GPUs than this in one process are a typing error.
MOST = 128


def read_count(value: object, source: str) -> int:
    """The number of GPUs that `source` asks for; UsageError for anything but 0 to 128."""
    number = value
    if isinstance(value, str):
        number = int(value) if value.strip().lstrip("+-").isdecimal() else None
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number <= MOST:
        raise UsageError(source, expected=f"a whole number from 0 to {MOST}", found=repr(value))
    return number
