"""Arguments that class.toml gives to a model's class: what they may be."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterator
from difflib import get_close_matches
from keyword import iskeyword
from typing import Any

from grader.records import ROLE, Json
from grader.toml_file import Where

MOST = 4000  # characters of JSON for one hand-in: they travel in a frame's header


def mistakes_in(arguments: Json, roles: Collection[str]) -> Iterator[tuple[Where, str]]:
    """Names that are no parameter's, values that cannot be passed, roles that do not exist.

    `roles` are what a parameter can be, such as `depth`: "$depth" stands for it.
    """
    for name, value in arguments.items():
        where = ("arguments", name)
        if not name.isidentifier() or iskeyword(name):
            yield where, "expected the name of a parameter of the constructor"
        yield from ((where, text) for text in _mistakes(value, roles))
    if len(json.dumps(arguments, default=str)) > MOST:
        yield ("arguments",), f"expected at most {MOST} characters"


def _mistakes(value: Any, roles: Collection[str]) -> Iterator[str]:
    if isinstance(value, str):
        if value.startswith(ROLE) and value.removeprefix(ROLE) not in roles:
            yield _no_role(value, [ROLE + role for role in roles])
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _mistakes(inner, roles)
    elif not isinstance(value, int) and not (isinstance(value, float) and math.isfinite(value)):
        yield f"expected a number, text, true, false, a list or a table, found {value}"


def _no_role(said: str, known: Collection[str]) -> str:
    close = get_close_matches(said, known, n=1)
    meant = f"did you mean {close[0]!r}?" if close else "there is " + ", ".join(known)
    return f"{said!r} is nothing that a check asks for; {meant}"
