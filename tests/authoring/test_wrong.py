"""What wrong hand-ins say that they lose."""

from __future__ import annotations

import pytest
from small import TOP, criterion

from grader.authoring.wrong import proofs, wrong_hand_ins
from grader.errors import UsageError
from grader.rubric import load_rubric

RUBRIC = TOP + criterion("a", points=2) + criterion("b") + criterion("c", "written", points=3)


@pytest.fixture
def read(write):
    def of(**files):
        assignment = write(RUBRIC)
        for name, text in files.items():
            (assignment.wrong / name).mkdir(parents=True)
            (assignment.wrong / name / "loses.toml").write_text(text)
        return wrong_hand_ins(assignment, load_rubric(assignment))

    return of


def test_code_that_it_does_not_name_must_earn_all(read):
    [one] = read(late='why = "x"\n[earned]\na = 0.5\n')
    assert one.points == {"a": 0.5, "b": 1.0}
    assert one.loses == {"a"}


def test_a_person_may_have_to_look_and_the_report_may_lose_too(read):
    [one] = read(late='why = "x"\npending = ["b"]\n[earned]\nc = 0\n')
    assert one.points == {"a": 2.0, "b": None, "c": 0.0}
    assert one.loses == {"b", "c"}


def test_full_points_may_be_said_and_are_no_loss(read):
    [one] = read(late='why = "x"\n[earned]\na = 0.0\nb = 1.0\n')
    assert one.loses == {"a"}


def test_what_loses_little_else_proves_best(read):
    found = read(
        broad='why = "x"\n[earned]\na = 0\nb = 0\n',
        narrow='why = "x"\n[earned]\nb = 0.5\n',
        other='why = "x"\n[earned]\na = 1\n',
    )
    assert [one.name for one in proofs("b", found)] == ["narrow", "broad"]
    assert [one.name for one in proofs("c", found)] == []


def test_none_at_all_is_none(write):
    assignment = write(RUBRIC)
    assert wrong_hand_ins(assignment, load_rubric(assignment)) == []


def test_a_folder_that_does_not_say_what_it_loses(write):
    assignment = write(RUBRIC)
    (assignment.wrong / "bare").mkdir(parents=True)
    (assignment.wrong / "__pycache__").mkdir()
    with pytest.raises(UsageError, match=r"^wrong/bare/loses.toml is missing; expected"):
        wrong_hand_ins(assignment, load_rubric(assignment))


def test_every_mistake_is_named_with_its_file_and_line(read):
    with pytest.raises(UsageError) as told:
        read(
            cheap='why = "x"\n[earned]\na = 7\nz = 0\n',
            idle='why = "x"\n[earned]\na = 2\n',
            mute="[earned]\na = 0\n",
            typo='why = "x"\npending = ["a", "y"]\n',
        )
    assert [line.partition("; ")[0] for line in str(told.value).splitlines()] == [
        "wrong/cheap/loses.toml, line 3: earned.a: expected 0 to 2 points, found 7",
        "wrong/cheap/loses.toml, line 4: earned.z: 'z' is no criterion of rubric.toml",
        "wrong/idle/loses.toml: it loses nothing",
        "wrong/mute/loses.toml: 'why' is missing",
        "wrong/typo/loses.toml, line 2: pending, item 2: 'y' is no criterion of rubric.toml",
    ]
