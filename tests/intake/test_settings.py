from __future__ import annotations

from datetime import timedelta, timezone
from pathlib import Path

import pytest

from grader.errors import UsageError
from grader.intake import ClassSettings, with_overrides
from grader.intake.roster import read_roster
from grader.intake.settings import read_settings
from grader.records import CriterionScore, State

FULL = """
assignment = "hw3"
deadline = 2026-04-30
roster = "list.csv"

[overrides."Õnne Ž"]
name = "Õnne"
deadline = 2026-05-07T18:00:00+03:00
points."t3.even" = { earned = 0.5, reason = "explained in person" }
"""


def write(folder: Path, text: str, roster: bytes = b"id,name\ns1,One\n") -> Path:
    (folder / "class.toml").write_text(text, "utf-8")
    (folder / "list.csv").write_bytes(roster)
    return folder


def refusal(folder: Path, ids: set[str]) -> list[str]:
    with pytest.raises(UsageError) as caught:
        read_settings(folder, ids)
    return str(caught.value).splitlines()


def test_everything_in_class_toml(tmp_path: Path) -> None:
    settings, roster = read_settings(write(tmp_path, FULL), {"Õnne Ž", "s1"})
    assert settings.assignment == "hw3"
    assert settings.deadline is not None
    assert settings.deadline.isoformat() == "2026-04-30T23:59:59"
    override = settings.overrides["Õnne Ž"]
    assert override.name == "Õnne"
    assert override.points["t3.even"].earned == 0.5
    extended = settings.deadline_of("Õnne Ž")
    assert extended is not None
    assert extended.tzinfo == timezone(timedelta(hours=3))
    assert settings.deadline_of("s1") == settings.deadline
    assert roster.names == {"s1": "One"}


def test_without_class_toml(tmp_path: Path) -> None:
    settings, roster = read_settings(tmp_path, set())
    assert settings == ClassSettings()
    assert roster.names == {}


def test_every_mistake_of_both_files_at_once(tmp_path: Path) -> None:
    text = """asignment = "hw3"
deadline = "tomorrow"
roster = "list.csv"
[overrides.anna]
nam = "x"
[overrides.s1]
points.t3.even = { earned = 1, reason = "x" }
points."t1.q1" = { earned = -1, reason = " " }
"""
    roster = b"id,name\ns1,One\ns2,Two\ns1,Other\ns3\n"
    assert refusal(write(tmp_path, text, roster), {"ann", "s1"}) == [
        "class.toml, line 1: asignment: unknown key; did you mean 'assignment'?",
        "class.toml, line 2: deadline: expected a date and time such as 2026-04-30T23:59:00, "
        "without quotes, found 'tomorrow'",
        "class.toml, line 3: roster: list.csv, line 4: id 's1' is on line 2 already",
        "class.toml, line 3: roster: list.csv, line 5: expected an id and a name, found ['s3']",
        "class.toml, line 4: overrides.anna: there is no submission 'anna'; did you mean 'ann'?",
        "class.toml, line 5: overrides.anna.nam: unknown key; did you mean 'name'?",
        'class.toml, line 7: overrides.s1.points.t3: write points."t3.even", in quotes',
        "class.toml, line 8: overrides.s1.points.t1.q1.earned: expected 0 or more, found -1",
        "class.toml, line 8: overrides.s1.points.t1.q1.reason: is empty; say it in a few words",
    ]


def test_a_roster_that_is_not_there(tmp_path: Path) -> None:
    write(tmp_path, 'roster = "lits.csv"\n')
    assert refusal(tmp_path, set()) == [
        "class.toml, line 1: roster: there is no file 'lits.csv' beside class.toml"
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"id,name\r\ns1,Mari\r\ns2,Jaan\r\n",
        b"\xef\xbb\xbfid;name\ns1;Mari\ns2;Jaan\n",
        b"Name, ID ,group\nMari,s1,A\n\nJaan,s2\n",
        b'"id"\t"name"\n"s1"\t"Mari"\n"s2"\t"Jaan"',
    ],
)
def test_rosters_as_spreadsheets_save_them(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(content)
    assert read_roster(path).names == {"s1": "Mari", "s2": "Jaan"}


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (
            b"",
            "list.csv, line 1: the first line names the columns; expected id,name; found nothing",
        ),
        (b"s1,Mari\n", "list.csv, line 1: the first line names the columns; expected id,name;"),
        (b"id,name\ns1,M\xe4ri\n", "list.csv is not UTF-8 text; found byte 0xe4 at position 12;"),
        (b'id,name\ns1,"Ma"ri\n', "list.csv, line 2: "),
    ],
)
def test_rosters_that_do_not_fit(tmp_path: Path, content: bytes, line: str) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        read_roster(path)
    assert str(caught.value).startswith(line)


def test_an_excuse(tmp_path: Path) -> None:
    write(tmp_path, 'roster = "list.csv"\n[overrides]\ns1.excused = "was ill"\ns2.excused = " "\n')
    assert refusal(tmp_path, {"s2"}) == [
        "class.toml, line 4: overrides.s2.excused: is empty; say it in a few words"
    ]
    write(tmp_path, 'roster = "list.csv"\n[overrides]\ns1.excused = "was ill"\n')
    settings, _ = read_settings(tmp_path, set())  # of the roster, without a hand-in
    assert settings.excused == {"s1": "was ill"}


def test_points_by_hand_are_final_and_say_why(tmp_path: Path) -> None:
    settings, _ = read_settings(write(tmp_path, FULL), {"Õnne Ž"})
    criteria = [
        CriterionScore(name, 1.0, None, State.PENDING, None, "seen")
        for name in ("t3.even", "t3.detect")
    ]
    even, detect = with_overrides(criteria, "Õnne Ž", settings)
    assert (even.earned, even.state) == (0.5, State.FINAL)
    assert (even.override, even.instead_of) == (True, None)  # it waited
    seen = [CriterionScore("t3.even", 1.0, 1.0, State.FINAL, None, "seen")]
    assert with_overrides(seen, "Õnne Ž", settings)[0].instead_of == 1.0
    assert even.comment == "explained in person"
    assert even.evidence == "seen"
    assert detect == criteria[1]
    assert with_overrides(criteria, "s1", settings) == criteria


@pytest.mark.parametrize("deadline", ["0001-01-01T00:00:00+14:00", "9999-12-31", "0226-04-30"])
def test_a_deadline_is_of_our_time(tmp_path: Path, deadline: str) -> None:
    write(tmp_path, f"deadline = {deadline}\n[overrides.s1]\ndeadline = {deadline}\n")
    said = f"deadline: expected a year such as 2026, found {int(deadline[:4])}"
    assert refusal(tmp_path, {"s1"}) == [
        f"class.toml, line 1: {said}",
        f"class.toml, line 3: overrides.s1.{said}",
    ]


@pytest.mark.parametrize("name", ["x" * 300, "a\\u0000b", ".", "/dev/zero"])
def test_a_roster_that_is_no_file(tmp_path: Path, name: str) -> None:
    write(tmp_path, f'roster = "{name}"\n')
    [line] = refusal(tmp_path, set())
    assert line.startswith("class.toml, line 1: roster: there is no file '")


@pytest.mark.parametrize("roster", [b"a,b\x1c\xe2\x80\xa8" * 900, b"id,name\n" + b",x" * 5000])
def test_what_is_said_of_a_roster_is_short(tmp_path: Path, roster: bytes) -> None:
    write(tmp_path, 'roster = "list.csv"\n', roster)
    [line] = refusal(tmp_path, set())
    assert len(line) < 400
    assert line.isprintable()


def test_a_mistake_is_told_every_time(tmp_path: Path) -> None:
    """What cattrs once made of a type within another, it takes for that type from then on."""
    for _ in range(3):
        read_settings(write(tmp_path, FULL), {"Õnne Ž"})
        write(tmp_path, "overrides = [5]\n")
        assert refusal(tmp_path, set()) == [
            "class.toml, line 1: overrides: expected a table, found a list of 1"
        ]


@pytest.mark.parametrize("target", ["nothing", "x" * 300])
def test_a_link_that_leads_nowhere_is_said(tmp_path, target):
    (tmp_path / "class.toml").symlink_to(target)
    with pytest.raises(UsageError, match=r"class\.toml cannot be read"):
        read_settings(tmp_path, [])
