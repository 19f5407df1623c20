"""Answers for code that asks: `input()`, and arguments that its command line requires.

Defaults stay what they are. What is asked gets the size that its words speak of, else a plain
value. `given` says which, because with other answers the code may do otherwise.
"""

from __future__ import annotations

import argparse
import builtins
import re
from collections.abc import Callable, Mapping
from typing import Any

#: The role of a word, such as "depth" of "layers", or None.
Roles = Callable[[str], str | None]

_PLAIN = "2"  # for whatever else is asked for: it reads as a number and as a word

_parse_known_args = argparse.ArgumentParser.parse_known_args
_given: dict[str, str] = {}
_options: dict[str, None] = {}


def given() -> dict[str, str]:
    """What was answered so far, as sentences; and the role of each answer, "" for none."""
    return dict(_given)


def options() -> list[str]:
    """The options that the code's command lines know so far, such as "--epochs"."""
    return list(_options)


def answer(role_of: Roles, sizes: Mapping[str, int]) -> None:
    """Answer whatever the code in this process asks from now on, in the sense of `sizes`."""

    def told(prompt: object = "", /) -> str:
        role = _role(str(prompt), role_of) or "depth"
        text = str(sizes.get(role, _PLAIN))
        _given[f"input({str(prompt).strip()[:40]!r}) was answered with {text}"] = role
        return text

    def parse_known_args(self: argparse.ArgumentParser, *args: Any, **kwargs: Any) -> Any:
        for action in self._actions:
            if action.dest != "help":
                _options.update(dict.fromkeys(action.option_strings[-1:]))
            _fill(action, role_of, sizes)
        return _parse_known_args(self, *args, **kwargs)

    setattr(builtins, "input", told)  # noqa: B010 - mypy knows its signature better
    setattr(argparse.ArgumentParser, "parse_known_args", parse_known_args)  # noqa: B010


def arguments(sizes: Mapping[str, int]) -> list[str]:
    """A command line for a script that reads `sys.argv` itself: the depth, some times over."""
    text = str(sizes.get("depth", _PLAIN))
    _given[f"the script was given the arguments {' '.join([text] * 4)}"] = ""
    return [text] * 4


def _role(text: str, role_of: Roles) -> str:
    """What a question is about, by its first word that says so."""
    return next((role for word in re.findall(r"\w+", text) if (role := role_of(word))), "")


def _fill(action: argparse.Action, role_of: Roles, sizes: Mapping[str, int]) -> None:
    """Give a required argument a default in the place of being required."""
    positional = not action.option_strings
    if not action.required or (positional and action.nargs in ("?", "*")):
        return
    name = action.option_strings[-1] if action.option_strings else action.dest
    role = role_of(action.dest) or ""
    text = str(next(iter(action.choices))) if action.choices else str(sizes.get(role, _PLAIN))
    action.required = False
    action.default = text  # argparse converts a text by the argument's type
    if positional:
        action.nargs = "?"
    _given[f"the argument {name} was given as {text}"] = role
