"""What does not fit between a rubric and its checks is told with file and line, nothing run."""

from __future__ import annotations

import pytest
from small import TOP, check, criterion, cue

from grader.assignment import assignments
from grader.authoring.agreement import decided_by, disagreements
from grader.checking.run import checks_in
from grader.rubric import load_rubric


@pytest.fixture
def told(write):
    def of(rubric, **checks):
        assignment = write(rubric, **checks)
        return disagreements(assignment, load_rubric(assignment), checks_in(assignment.checks))

    return of


PARTIAL = "[[criterion.partial]]\ncredit = 0.5\n"


def test_what_fits_is_not_spoken_of(told):
    rubric = TOP + criterion("a", more=PARTIAL + 'cases = ["one"]\n')
    rubric += criterion("b", "written", PARTIAL + "passed = 1\n" + cue("yes") + cue("why"))
    assert told(rubric, test_x=check("a", cases=("one", "two"))) == []


@pytest.mark.parametrize("assignment", assignments(), ids=lambda found: found.name)
def test_those_that_come_with_the_package_fit(assignment):
    checks = checks_in(assignment.checks)
    assert disagreements(assignment, load_rubric(assignment), checks) == []


def test_a_criterion_of_code_without_a_check(told):
    [line] = told(TOP + criterion("a") + criterion("b"), test_x=check("a"))
    assert line.startswith("rubric.toml, line 11: criterion, item 2: no check decides 'b'")
    assert '@pytest.mark.criterion("b")' in line


def test_a_task_without_a_criterion(told):
    rubric = f'{TOP}[[task]]\nid = "u"\ntitle = "U"\n{criterion("a")}'
    assert told(rubric, test_x=check("a")) == [
        "rubric.toml, line 5: task, item 2: no [[criterion]] is of task 'u'"
    ]


def test_checks_of_criteria_that_are_not_there(told):
    checks = check("speed", cases=("one", "two")) + "\n\ndef test_free(submission):\n    pass\n"
    assert told(TOP + criterion("speed1"), test_x=check("speed1", "other") + checks) == [
        "test_x.py, line 6: test_holds: rubric.toml has no criterion 'speed'; did you mean "
        "'speed1'?",
        "test_x.py, line 12: test_free: it has no @pytest.mark.criterion(id), so it decides "
        "nothing",
    ]


def test_checks_of_the_report_have_a_file_of_their_own(told):
    rubric = TOP + criterion("a") + criterion("b", "table")
    lines = told(rubric, test_x=check("b"), test_report=check("a"))
    assert [line.partition(": ")[0] for line in lines] == [
        "test_report.py, line 3",
        "test_x.py, line 3",
    ]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (
            'cases = ["one", "ten"]',
            "partial.cases: no case is called 'ten'; there are 'one', 'two'",
        ),
        ('cases = ["two", "one"]', "partial.cases: these are all cases there are, and then all"),
        ("passed = 2", "partial.passed: expected more than 0 and fewer than all 2 cases, found 2"),
        ("passed = 0", "partial.passed: expected more than 0 and fewer than all 2 cases, found 0"),
    ],
)
def test_partial_credit_names_cases_that_there_are(told, rule, said):
    rubric = TOP + criterion("a", more=f"{PARTIAL}{rule}\n")
    [line] = told(rubric, test_x=check("a", cases=("one", "two")))
    assert line.startswith(f"rubric.toml, line 13: criterion.{said}")


def test_partial_credit_for_what_has_no_cases(told):
    [line] = told(TOP + criterion("a", "written", f'{PARTIAL}cases = ["one"]\n'))
    assert line.endswith("there are none: there is neither a check nor a cue")


def test_cues_that_a_check_puts_aside(told):
    rubric = TOP + criterion("a", "written", cue("yes"))
    [line] = told(rubric, test_report=check("a"))
    assert line == (
        "rubric.toml, line 12: criterion.cue: a check decides 'a', so its cues are never looked at"
    )


def test_scripts_that_the_rubric_lacks(told):
    rubric = TOP + '[[script]]\nid = "ring"\nnames = ["ring"]\n' + criterion("a")
    body = 'submission.program("ring", gpus=1); submission.torchrun("rings", gpus=1)'
    assert told(rubric, test_x=check("a", body=body)) == [
        "test_x.py, line 5: rubric.toml has no [[script]] 'rings'; did you mean 'ring'?"
    ]


def test_all_of_it_is_told_at_once(told):
    rubric = TOP + criterion("a", more=f"{PARTIAL}passed = 9\n") + criterion("b")
    assert len(told(rubric, test_x=check("a") + check("c", "more"))) == 3


def test_several_functions_may_decide_one_criterion(write):
    text = check("a", "one", cases=("x", "y")) + check("a", "two") + check("b", "three")
    assignment = write(TOP, test_x=text)
    by = decided_by("a", checks_in(assignment.checks))
    assert {name: len(cases) for (_, name), cases in by.items()} == {"test_one": 2, "test_two": 1}
