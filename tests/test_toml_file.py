from __future__ import annotations

from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Literal

import attrs
import pytest

from grader.errors import UsageError
from grader.toml_file import TomlFile, load_toml


class Kind(StrEnum):
    CODE = "code"
    WRITTEN = "written"


@attrs.frozen
class Credit:
    passes: int
    earns: float


@attrs.frozen
class Criterion:
    id: str
    points: float = attrs.field(validator=attrs.validators.gt(0))
    kind: Kind = attrs.field(default=Kind.CODE)
    cues: tuple[str, ...] = ()
    credit: list[Credit] = attrs.field(factory=list)
    mode: Literal["all", "any"] = "all"

    @points.validator
    def _not_too_many(self, attribute: object, value: float) -> None:
        if value > 5:
            raise ValueError(f"more than 5 points: {value:g}")

    @kind.validator
    def _written_needs_cues(self, attribute: object, value: Kind) -> None:
        if value is Kind.WRITTEN and not self.cues:
            raise ValueError("a written criterion needs cues")


@attrs.frozen
class Paper:
    title: str
    criterion: list[Criterion] = attrs.field(factory=list)
    due: datetime | None = None
    day: date | None = None
    open: bool = False
    extra: dict[str, Credit] = attrs.field(factory=dict)


def write(folder: Path, text: str) -> Path:
    path = folder / "paper.toml"
    path.write_bytes(text.encode())
    return path


def refusal(folder: Path, text: str) -> list[str]:
    with pytest.raises(UsageError) as caught:
        load_toml(write(folder, text), Paper)
    return str(caught.value).splitlines()


def test_everything_a_shape_can_hold(tmp_path: Path) -> None:
    text = """\ufefftitle = "Home Work"
due = 2026-04-30T12:00:00Z
day = 2026-04-30
open = true

[[criterion]]
id = "t1"
points = 1
kind = "written"
cues = ["a",
  "b"]
[[criterion.credit]]
passes = 1
earns = 0.5

[extra."a b"]
passes = 2
earns = 1
"""
    assert load_toml(write(tmp_path, text), Paper) == Paper(
        title="Home Work",
        due=datetime(2026, 4, 30, 12, tzinfo=UTC),
        day=date(2026, 4, 30),
        open=True,
        criterion=[Criterion("t1", 1.0, Kind.WRITTEN, ("a", "b"), [Credit(1, 0.5)])],
        extra={"a b": Credit(2, 1.0)},
    )


def test_a_plain_date_means_its_last_second(tmp_path: Path) -> None:
    paper = load_toml(write(tmp_path, 'title = "x"\ndue = 2026-04-30'), Paper)
    assert paper.due is not None
    assert paper.due.isoformat() == "2026-04-30T23:59:59"


def test_every_mistake_has_its_line(tmp_path: Path) -> None:
    text = '''titel = "x"
due = "soon"
open = 1
[[criterion]]
id = "t1"
points = -1
kind = "cod"
cues = "abc"

[[criterion]]
id = 5
points = "x"
mode = "some"
note = """
[[criterion]]
id = 7
"""
[[criterion.credit]]
passes = 1.5
[[criterion.credit]]
passes = 1
earns = 2
[[criterion]]
id = "t3"
points = 9
cues = ["a",
  5]
credit = 3
[[criterion]]
id = "t4"
kind = "written"
points = 1
[extra."a b"]
passes = true
earns = nan
[extra]
x = 3
'''
    assert refusal(tmp_path, text) == [
        "paper.toml: 'title' is missing",
        "paper.toml, line 1: titel: unknown key; did you mean 'title'?",
        "paper.toml, line 2: due: expected a date and time such as 2026-04-30T23:59:00, "
        "without quotes, found 'soon'",
        "paper.toml, line 3: open: expected true or false, found 1",
        "paper.toml, line 6: criterion.points: must be > 0: -1.0",
        "paper.toml, line 7: criterion.kind: expected one of 'code', 'written', found 'cod'",
        "paper.toml, line 8: criterion.cues: expected a list, found 'abc'",
        "paper.toml, line 11: criterion.id: expected text in quotes, found 5",
        "paper.toml, line 12: criterion.points: expected a number, found 'x'",
        "paper.toml, line 13: criterion.mode: expected one of 'all', 'any', found 'some'",
        "paper.toml, line 14: criterion.note: unknown key; "
        "known are id, points, kind, cues, credit, mode",
        "paper.toml, line 18: criterion.credit, item 1: 'earns' is missing",
        "paper.toml, line 19: criterion.credit.passes: expected a whole number, found 1.5",
        "paper.toml, line 25: criterion.points: more than 5 points: 9",
        "paper.toml, line 26: criterion.cues, item 2: expected text in quotes, found 5",
        "paper.toml, line 28: criterion.credit: expected a list, found 3",
        "paper.toml, line 29: criterion, item 4: a written criterion needs cues",
        "paper.toml, line 34: extra.a b.passes: expected a whole number, found true",
        "paper.toml, line 35: extra.a b.earns: expected a number, found nan",
        "paper.toml, line 37: extra.x: expected a table, found 3",
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a = 1\nb = = 2\n", "paper.toml, line 2: not valid TOML: Invalid value (column 5)"),
        ('a = """\n', "paper.toml, line 2: not valid TOML: Unterminated string"),
        ("a = 1\na = 2\n", "paper.toml, line 2: not valid TOML: Cannot overwrite a value"),
    ],
)
def test_no_toml(tmp_path: Path, text: str, line: str) -> None:
    [found] = refusal(tmp_path, text)
    assert found.startswith(line)


def test_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "paper.toml"
    path.write_bytes(b'title = "\xe4"')
    with pytest.raises(UsageError, match=r"byte 0xe4 at position 9; save it as UTF-8"):
        load_toml(path, Paper)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.toml cannot be read: No such file"):
        load_toml(tmp_path / "none.toml", Paper)


def test_a_line_separator_inside_a_comment_does_not_shift_lines(tmp_path: Path) -> None:
    [found] = refusal(tmp_path, '# one\u2028open = 5\r\ntitle = "x"\r\nopen = 1\r\n')
    assert found == "paper.toml, line 3: open: expected true or false, found 1"


def test_further_mistakes_join_those_of_the_shape(tmp_path: Path) -> None:
    text = 'title = 1\n[[criterion]]\nid = "a"\npoints = 1\n[[criterion]]\nid = "a"\npoints = 1\n'
    file = TomlFile.read(write(tmp_path, text))
    value, mistakes = file.structure(Paper)
    assert value is None
    mistakes.append(file.mistake(("criterion", 1, "id"), "'a' is there already"))
    with pytest.raises(UsageError) as caught:
        file.refuse(mistakes)
    assert str(caught.value).splitlines() == [
        "paper.toml, line 1: title: expected text in quotes, found 1",
        "paper.toml, line 6: criterion.id: 'a' is there already",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 5000,
        "a = " + "9" * 5000,
        ".".join("a" * 3000) + " = 1",
        "a = " + "{b=" * 3000,
    ],
    ids=["lists", "digits", "keys", "tables"],
)
def test_what_is_far_too_large_inside(tmp_path: Path, text: str) -> None:
    [line] = refusal(tmp_path, text)
    assert line.startswith(
        "paper.toml is not valid TOML; found a number of thousands of digits, or"
    )


def test_mistakes_are_lines_that_can_be_read(tmp_path: Path) -> None:
    long, turned = "k" * 3000, "\\u202E"
    first, second = refusal(tmp_path, f'title = "x"\n{long} = 1\n"a{turned}" = 1\n')
    assert len(first) == 400
    assert first.startswith("paper.toml, line 2: kkkk")
    assert second.startswith("paper.toml, line 3: a\\u202e: unknown key")


def test_of_very_many_mistakes_some_are_told(tmp_path: Path) -> None:
    found = refusal(tmp_path, "title = 1\n" + "".join(f"k{n} = 1\n" for n in range(99)))
    assert len(found) == 41
    assert found[-1] == "and 60 more mistakes"
