"""What common errors of Python and torch mean: the table `mistakes.toml`, and how it is read."""

from __future__ import annotations

import functools
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

TABLE = Path(__file__).with_name("mistakes.toml")
_NAME = re.compile(r"<(\w+)>")


@dataclass(frozen=True)
class Mistake:
    """What an error means, and what to try: one or two short sentences each."""

    means: str
    fix: str


def explained(error: str, code: str = "") -> Mistake | None:
    """The mistake behind "TypeError: ...", raised by a line of `code`; None where it is unknown."""
    text = f"{error}\n{code.strip()}"
    for pattern, mistake in _rows():
        if found := pattern.search(text):
            groups = found.groupdict()
            return Mistake(_filled(mistake.means, groups), _filled(mistake.fix, groups))
    return None


def fix_for(error: str) -> str | None:
    """What to try about an error; None where it is unknown."""
    mistake = explained(error)
    return mistake.fix if mistake else None


def _filled(text: str, groups: dict[str, str]) -> str:
    return _NAME.sub(lambda name: groups.get(name[1]) or name[0], text)


@functools.cache
def _rows() -> list[tuple[re.Pattern[str], Mistake]]:
    rows = tomllib.loads(TABLE.read_text("utf-8"))["mistake"]
    return [(re.compile(row["error"]), Mistake(row["means"], row["fix"])) for row in rows]
