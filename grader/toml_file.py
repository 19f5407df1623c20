"""TOML files written by people: read, checked against attrs classes, every mistake named at once.

One list of lines answers "what is wrong with my file", each as
``class.toml, line 7: deadline: expected a date and time, found 'soon'``.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time
from difflib import get_close_matches
from enum import Enum
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar, get_args, get_origin

import attrs
from cattrs import (
    ClassValidationError,
    Converter,
    ForbiddenExtraKeysError,
    IterableValidationError,
)
from cattrs.cols import homogenous_tuple_structure_factory, list_structure_factory
from cattrs.gen import make_dict_structure_fn, make_mapping_structure_fn, override

from grader.errors import UsageError, shortened

T = TypeVar("T")
Hook = Callable[[Any, Any], Any]

#: Where a value stands: ("criterion", 1, "points"); list positions count from 0.
Where = tuple[str | int, ...]

_MOST_MISTAKES = 40  # lines that are shown at once
_LONGEST_LINE = 400  # characters


class Mistake(NamedTuple):
    """One thing to correct. `line` counts from 1; 0 stands for the file as a whole."""

    line: int
    text: str


@dataclass(frozen=True)
class TomlFile:
    """A TOML file that parses, with the line of everything in it.

    For checks that go beyond one value's type: take `structure`'s mistakes, add your own
    with `mistake`, and hand all of them to `refuse`.
    """

    path: Path
    data: dict[str, Any]
    lines: dict[Where, int]

    @classmethod
    def read(cls, path: Path) -> TomlFile:
        """Parse the file. UsageError where it is missing, not UTF-8 or no TOML."""
        text = _text_of(path)
        try:
            return cls(path, tomllib.loads(text), _lines(text))
        except tomllib.TOMLDecodeError as error:
            raise UsageError(_clear(_syntax_line(path, error, text))) from error
        except (ValueError, RecursionError) as error:  # tomllib leaves these to Python
            raise UsageError(
                f"{path.name} is not valid TOML",
                found="a number of thousands of digits, or hundreds of tables in one another",
            ) from error

    def structure(self, shape: type[T]) -> tuple[T | None, list[Mistake]]:
        """The data as a `shape` (an attrs class), or None and every mistake."""
        try:
            return _CONVERTER.structure(self.data, shape), []
        except (ClassValidationError, IterableValidationError) as error:
            return None, [self.mistake(where, text) for where, text in _causes(error, ())]

    def mistake(self, where: Where, text: str) -> Mistake:
        """A mistake at `where`, or at the closest thing around it that has a line."""
        known = next((where[:n] for n in range(len(where), 0, -1) if where[:n] in self.lines), ())
        line = self.lines.get(known, 0)
        name = _spelled(where)
        return Mistake(line, f"{name}: {text}" if name else text)

    def told(self, mistakes: Iterable[Mistake]) -> list[str]:
        """One line per mistake, in the file's order."""
        name = self.path.name
        return [
            _clear(f"{name}, line {line}: {text}" if line else f"{name}: {text}")
            for line, text in sorted(mistakes)
        ]

    def refuse(self, mistakes: Iterable[Mistake]) -> None:
        """Raise a UsageError of one line per mistake, in the file's order, if there is any."""
        lines = self.told(mistakes)
        if len(lines) > _MOST_MISTAKES:
            lines[_MOST_MISTAKES:] = [f"and {len(lines) - _MOST_MISTAKES} more mistakes"]
        if lines:
            raise UsageError("\n".join(lines))


def load_toml(path: Path, shape: type[T]) -> T:
    """Read a TOML file into an attrs class.

    Fields may be str, int, float, bool, datetime, date, Enum, Literal, attrs classes,
    list, tuple[X, ...], dict[str, X] of these, and each of them `| None`. Nothing is
    converted: 5 is no text and "5" no number; only a whole number may stand for a float, and
    a plain date in a datetime field means 23:59:59 on that day. Keys without a field are
    refused. ValueErrors of attrs validators are mistakes like any other.

    Raises UsageError with one line per mistake.
    """
    file = TomlFile.read(path)
    value, mistakes = file.structure(shape)
    file.refuse(mistakes)
    assert value is not None
    return value


# ---------------------------------------------------------------------- reading


def _text_of(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")  # Windows editors put a mark in front
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{path.name} is not UTF-8 text",
            found=f"byte 0x{error.object[error.start]:02x} at position {error.start}",
            do="save it as UTF-8",
        ) from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error


def _syntax_line(path: Path, error: tomllib.TOMLDecodeError, text: str) -> str:
    found = re.fullmatch(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", str(error))
    if found is None:
        return f"{path.name}: {error}"
    line = found[2] or text.count("\n") + 1
    column = f" (column {found[3]})" if found[3] else " (the file ends here)"
    return f"{path.name}, line {line}: not valid TOML: {found[1]}{column}"


def _clear(line: str) -> str:
    """The line as a terminal shows it, whatever keys and values it speaks of."""
    shown = (c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)
    return shortened("".join(shown), _LONGEST_LINE)


def _lines(text: str) -> dict[Where, int]:
    """The line of every key and table. tomllib keeps none, so statements are parsed one by one."""
    lines: dict[Where, int] = {}
    counts: dict[Where, int] = {}  # array of tables -> index of its last one
    table: Where = ()
    for number, statement in _statements(text):
        content = tomllib.loads(statement)
        if statement.lstrip().startswith("["):
            table = _enter(content, counts, new=statement.lstrip().startswith("[["))
            for depth in range(1, len(table) + 1):
                lines.setdefault(table[:depth], number)
        else:
            for where in _paths(content, ()):
                lines.setdefault(table + where, number)
    return lines


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """(first line, text) of every header and key. A statement ends where it parses."""
    start, held = 1, ""
    # TOML knows no other line ends, unlike str.splitlines.
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        start, held = (start, f"{held}\n{line}") if held else (number, line)
        try:
            content = tomllib.loads(held)
        except tomllib.TOMLDecodeError:
            continue  # a string or list that goes on in the next line
        if content:
            yield start, held
        held = ""


def _enter(content: dict[str, Any], counts: dict[Where, int], *, new: bool) -> Where:
    """The full path that a header alone, such as {"task": [{}]}, opens at this point."""
    where: Where = ()
    while content:
        key, inner = next(iter(content.items()))
        where += (key,)
        content = inner[0] if isinstance(inner, list) else inner
        if new and not content:
            counts[where] = counts.get(where, -1) + 1
        if where in counts:
            where += (counts[where],)
    return where


def _paths(value: Any, where: Where) -> Iterator[Where]:
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in items:
        yield (*where, key)
        if isinstance(inner, dict | list):
            yield from _paths(inner, (*where, key))


# ---------------------------------------------------------------------- structuring


class _MisfitError(ValueError):
    """A value of another kind than the field asks for."""

    def __init__(self, expected: str, found: Any) -> None:
        super().__init__(f"expected {expected}, found {_shown(found)}")


def _shown(value: Any) -> str:
    """A value as its author wrote it, or nearly."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _plain(kind: type, expected: str) -> Hook:
    def hook(value: Any, target: type) -> Any:
        if _is_choice(target):  # cattrs takes a StrEnum for a str
            return _choice(value, target)
        if type(value) is not kind:  # not isinstance: True is an int, a datetime is a date
            raise _MisfitError(expected, value)
        return value

    return hook


def _number(value: Any, _: type) -> float:
    if type(value) not in (int, float) or not math.isfinite(value):
        raise _MisfitError("a number", value)
    return float(value)


def _moment(value: Any, _: type) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime.combine(value, time(23, 59, 59))
    raise _MisfitError("a date and time such as 2026-04-30T23:59:00, without quotes", value)


def _choice(value: Any, kind: Any) -> Any:
    """An Enum by value, or a Literal."""
    is_enum = isinstance(kind, type)
    options = {m.value: m for m in kind} if is_enum else {a: a for a in get_args(kind)}
    for option, member in options.items():
        if type(option) is type(value) and option == value:
            return member
    raise _MisfitError("one of " + ", ".join(map(_shown, options)), value)


class _NotYetError(Exception):
    """Asked of an object that is not built yet."""


class _NotBuilt:
    """Stands for the instance while the validator of one field runs ahead of the others."""

    def __getattr__(self, name: str) -> Any:
        raise _NotYetError(name)


def _checked(attribute: attrs.Attribute[Any], converter: Converter) -> Hook:
    """Structure one field and validate it now, so that no mistake hides the next one.

    attrs stops at the first; a validator that looks at other fields runs when all are there.
    """
    kind: Any = attribute.type

    def hook(value: Any, _: Any) -> Any:
        built = converter.structure(value, kind)
        if attribute.validator is not None:
            with suppress(_NotYetError):
                attribute.validator(_NotBuilt(), attribute, built)
        return built

    return hook


def _table(shape: Any, converter: Converter) -> Hook:
    fields = attrs.fields(attrs.resolve_types(shape))
    hooks = {f.name: override(struct_hook=_checked(f, converter)) for f in fields if f.init}
    build: Any = make_dict_structure_fn(shape, converter, _cattrs_forbid_extra_keys=True, **hooks)  # type: ignore[arg-type]

    def hook(value: Any, kind: Any) -> Any:
        if not isinstance(value, dict):
            raise _MisfitError("a table", value)
        return build(value, kind)

    return hook


def _list(kind: Any, converter: Converter) -> Hook:
    is_list = get_origin(kind) is list
    build: Any = (
        list_structure_factory(kind, converter)
        if is_list
        else homogenous_tuple_structure_factory(kind, converter)
    )

    def hook(value: Any, _: Any) -> Any:
        if not isinstance(value, list):  # cattrs would take a text for a list of letters
            raise _MisfitError("a list", value)
        return build(value, kind)

    return hook


def _mapping(kind: Any, converter: Converter) -> Hook:
    # Not converter.gen_structure_mapping: it would register what it makes in the place of `hook`.
    build: Any = make_mapping_structure_fn(kind, converter)

    def hook(value: Any, _: Any) -> Any:
        if not isinstance(value, dict):
            raise _MisfitError("a table", value)
        return build(value, kind)

    return hook


def _converter() -> Converter:
    converter = Converter(detailed_validation=True)
    converter.register_structure_hook(str, _plain(str, "text in quotes"))
    converter.register_structure_hook(int, _plain(int, "a whole number"))
    converter.register_structure_hook(bool, _plain(bool, "true or false"))
    converter.register_structure_hook(date, _plain(date, "a date such as 2026-04-30"))
    converter.register_structure_hook(float, _number)
    converter.register_structure_hook(datetime, _moment)
    converter.register_structure_hook_func(_is_choice, _choice)
    factories: list[tuple[Callable[[Any], bool], Any]] = [
        (attrs.has, _table),
        (_is_list, _list),
        (_is_mapping, _mapping),
    ]
    for fits, factory in factories:
        converter.register_structure_hook_factory(fits, factory)
    return converter


def _is_choice(kind: Any) -> bool:
    return get_origin(kind) is Literal or (isinstance(kind, type) and issubclass(kind, Enum))


def _is_list(kind: Any) -> bool:
    return get_origin(kind) is list or (get_origin(kind) is tuple and get_args(kind)[-1] is ...)


def _is_mapping(kind: Any) -> bool:
    return get_origin(kind) is dict


_CONVERTER = _converter()


# ---------------------------------------------------------------------- explaining


def _causes(error: Exception, where: Where) -> Iterator[tuple[Where, str]]:
    """(where, what) of every mistake inside an error of cattrs."""
    if not isinstance(error, ClassValidationError | IterableValidationError):
        yield where, _sentence(error, where)
        return
    noted, plain = error.group_exceptions()
    for inner, note in noted:
        step = note.name if hasattr(note, "name") else note.index
        if isinstance(inner, KeyError):
            yield where, f"'{step}' is missing"
        else:
            yield from _causes(inner, (*where, step))
    for inner in plain:
        if isinstance(inner, ForbiddenExtraKeysError):
            yield from _unknown_keys(inner, where)
        else:
            yield from _causes(inner, where)


def _sentence(error: Exception, where: Where) -> str:
    if not isinstance(error, ValueError | TypeError):
        raise error  # ours, not the author's
    text = str(error.args[0]) if error.args else str(error)
    name = where[-1] if where else ""
    return text.removeprefix(f"'{name}' ").removeprefix(f"{name}: ")


def _unknown_keys(error: ForbiddenExtraKeysError, where: Where) -> Iterator[tuple[Where, str]]:
    known = [f.name for f in attrs.fields(error.cl) if f.init]
    for key in sorted(error.extra_fields):
        close = get_close_matches(key, known, n=1)
        hint = f"did you mean '{close[0]}'?" if close else f"known are {', '.join(known)}"
        yield (*where, key), f"unknown key; {hint}"


def _spelled(where: Where) -> str:
    """`criterion.points`, `gpus, item 3`: the line says which table of a list is meant."""
    names = ".".join(step for step in where if isinstance(step, str))
    last = where[-1] if where else ""
    return f"{names}, item {last + 1}" if isinstance(last, int) else names
