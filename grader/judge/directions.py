"""What an instructor says, in class.toml, about how to use the code of a hand-in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grader.records import ROLE, Json

MOST = 200  # characters of arguments that are told


@dataclass(frozen=True)
class Directions:
    """Which file holds the model, which class it is, and what its constructor is given.

    `arguments` are values by parameter, "$depth" and the like for what a check asks for.
    """

    file: Path | None = None
    class_name: str | None = None
    arguments: Json = field(default_factory=dict)

    @property
    def given(self) -> str:
        """The arguments in words: `hidden=64, n=depth`."""
        said = ", ".join(f"{name}={_spelled(value)}" for name, value in self.arguments.items())
        return said if len(said) <= MOST else f"{said[:MOST]}..."

    def told(self, *, built: bool) -> str | None:
        """A sentence on what was done as the instructor says; None where that is nothing.

        `built` says whether a model was built, and so had the arguments.
        """
        parts = []
        if self.file is not None:
            parts.append(
                f"judged is {f'{self.class_name} in ' if self.class_name else ''}{self.file}"
            )
        if self.arguments and built:
            parts.append(f"built with {self.given}")
        if not parts:
            return None
        said = ", ".join(parts)
        return f"{said[0].upper()}{said[1:]}, as the instructor says in class.toml."


@dataclass(frozen=True)
class Said:
    """Directions for a hand-in, and for tasks (by id) that have a file of their own."""

    model: Directions = Directions()
    tasks: Mapping[str, Directions] = field(default_factory=dict)

    def of(self, task: str) -> Directions:
        """The directions for a task."""
        return self.tasks.get(task, self.model)


def _spelled(value: Any) -> str:
    if isinstance(value, dict):
        inner = ", ".join(f"{name}={_spelled(one)}" for name, one in value.items())
        return f"({inner})"
    if isinstance(value, list):
        return f"[{', '.join(map(_spelled, value))}]"
    if isinstance(value, str) and value.startswith(ROLE):
        return value.removeprefix(ROLE)
    return repr(value)
