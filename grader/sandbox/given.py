"""Values that an instructor gives to parameters of a class, in class.toml.

A text such as "$depth" stands for the depth that is asked for, "$width", "$gpus" and "$devices" for
the others; lists and tables of such values are built with what they stand for.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from grader.records import ROLE, Json


class Settings(dict[str, Any]):
    """A table as code may want it: `config.depth` and `config["depth"]`."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"class.toml gives no {name!r}") from None


@dataclass(frozen=True)
class Given:
    """Values by the parameters that they are for; as JSON, so that nobody can change one."""

    values: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, arguments: Json) -> Given:
        return cls(tuple((name, json.dumps(value)) for name, value in arguments.items()))

    def names(self) -> list[str]:
        return [name for name, _ in self.values]

    def role(self, name: str) -> str | None:
        """What a parameter is, where its value is that and nothing else."""
        value = self._value(name)
        return _role(value) if isinstance(value, str) else None

    def roles(self, name: str) -> set[str]:
        """What is asked for in a parameter's value, at any depth of it."""
        return set(_roles(self._value(name)))

    def built(self, name: str, asked: Callable[[str], Any]) -> Any:
        """A parameter's value; `asked` says what is asked for in a role."""
        return _built(self._value(name), asked)

    def _value(self, name: str) -> Any:
        return json.loads(dict(self.values)[name])


def _role(text: str) -> str | None:
    return text.removeprefix(ROLE) if text.startswith(ROLE) else None


def _roles(value: Any) -> Iterator[str]:
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _roles(inner)
    elif isinstance(value, str) and (role := _role(value)):
        yield role


def _built(value: Any, asked: Callable[[str], Any]) -> Any:
    if isinstance(value, dict):
        return Settings({name: _built(inner, asked) for name, inner in value.items()})
    if isinstance(value, list):
        return [_built(inner, asked) for inner in value]
    if isinstance(value, str) and (role := _role(value)):
        return asked(role)
    return value
