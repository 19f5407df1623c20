"""Everything that is wrong with an assignment is found: each time, one thing about a right one."""

from __future__ import annotations

import shutil

import pytest

from grader.authoring import review, write_starter


def no_progress(done, total, running):
    pass


@pytest.fixture
def starter(tmp_path):
    return write_starter("x", tmp_path / "course")


def change(path, old, new):
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def faults(assignment):
    return review(assignment, jobs=2, progress=no_progress).faults


# ------------------------------------------------------------------ as it is written


def test_mistakes_of_the_rubric_come_alone(starter):
    change(starter.rubric, "points = 3 ", "points = 4 ")
    change(starter.rubric, 'task = "t1"\ntitle = "Why', 'task = "t2"\ntitle = "Why')
    found = review(starter, progress=no_progress)
    assert found.faults == [
        "rubric.toml, line 4: points: expected what the criteria add up to, 3, found 4",
        "rubric.toml, line 23: criterion.task: names task 't2', which is not a [[task]]",
    ]
    assert found.findings[-1].faults is None


def test_mistakes_of_all_other_parts_come_together(starter):
    shutil.rmtree(starter.reference)
    (starter.template / "assignment.toml").write_text('assignment = "y"\n')
    change(starter.checks / "test_x.py", '"t1.count"', '"t1.counts"')
    change(starter.wrong / "always_two" / "loses.toml", "= 0.0", "= 9")
    told = faults(starter)
    assert [line.partition(" ")[0] for line in told] == [
        str(starter.reference),
        str(starter.template / "assignment.toml"),
        "rubric.toml,",
        "test_x.py,",
        "wrong/always_two/loses.toml,",
    ]


def test_a_template_of_another_assignment(starter):
    (starter.template / "assignment.toml").write_text('assignment = "y"\n')
    [line] = faults(starter)
    assert line.endswith("""expected assignment = "x"; found 'y'""")


def test_checks_that_are_no_python(starter):
    (starter.checks / "test_x.py").write_text("def test_(:\n")
    told = "\n".join(faults(starter))
    assert "could not be run" in told
    assert "SyntaxError" in told


# ------------------------------------------------------------------ as it works


def wrong(assignment, name, script, says):
    folder = assignment.wrong / name
    shutil.copytree(assignment.wrong / "always_two", folder)
    (folder / "x.py").write_text(script)
    (folder / "loses.toml").write_text(f'why = "x"\n{says}\n')


def test_hand_ins_that_earn_what_they_should_not(starter):
    right = (starter.reference / "x.py").read_text("utf-8")
    two, none = "print('GPUs: 2')\n", "print('none')\n"
    wrong(starter, "always_two_v2", two, '[earned]\n"t1.count" = 0.0')  # no second attempt
    wrong(starter, "less", right, '[earned]\n"t1.count" = 0.0')
    wrong(starter, "more", none, '[earned]\n"t1.count" = 1.0')
    wrong(starter, "reference", none, 'pending = ["t1.count"]')
    (starter.reference / "x.py").write_text(two)
    change(starter.reference / "report.md", "on other machines too", "here")
    change(starter.reference / "report.md", "there may be more or fewer GPUs there", "fast")
    told = faults(starter)
    for line, begins in zip(
        told,
        [
            "reference: t1.count: expected all 2 points, found 0 points: Right: 2 GPUs. "
            "Not right: 1 GPU, 5 GPUs. 1 GPU: expected 1 printed where there are so many GPUs; "
            "seen: 'GPUs: 2'",
            "reference: t1.why: expected all 1 point, found that a person must look: ",
            "wrong/less: t1.count: expected 0 points, found 2 points: ",
            "wrong/more: t1.count: expected 1 point, found 0 points: ",
            "wrong/reference: t1.count: expected that a person must look, found 0 points: ",
        ],
        strict=True,
    ):
        assert line.startswith(begins)


def test_checks_that_say_nothing_to_students_or_pass_on_nothing(starter):
    checks = starter.checks / "test_x.py"
    change(checks, 'hint="Ask torch.cuda.device_count().",', "")
    change(checks, "str(gpus) in re.findall", "not run.printed or str(gpus) in re.findall")
    [silent, empty] = faults(starter)
    assert silent.startswith("wrong/always_two: t1.count: lost without a word on what to do")
    assert empty.startswith("empty scripts: t1.count: expected no points, found 2 points: ")


def test_a_check_that_breaks_is_told_once_for_each_hand_in(starter):
    change(starter.checks / "test_x.py", '.program("main"', '.program("ma" + "ni"')
    told = faults(starter)
    names = ["reference", "wrong-always_two", "empty", "template"]
    assert [line.partition(":")[0] for line in told] == names
    for line in told:
        assert "a check asks for the script 'mani'; expected the id of a [[script]]" in line


def test_what_could_be_better_is_advice_and_no_fault(starter, tmp_path):
    shutil.rmtree(starter.wrong)
    change(starter.rubric, "points = 3 ", "#")
    found = review(starter, out=tmp_path / "kept", jobs=2, progress=no_progress)
    assert found.faults == []
    assert "say  points = 3  at the top" in found.advice[0]
    assert found.advice[1].startswith("t1.count: no wrong hand-in loses it")
    reports = {path.parent.name for path in (tmp_path / "kept").glob("*/report.pdf")}
    assert reports == {"reference", "empty", "template"}


def test_an_assignment_without_code_needs_no_check(starter):
    text = starter.rubric.read_text("utf-8")
    begins = text.index('[[criterion]]\nid = "t1.count"')
    ends = text.index('[[criterion]]\nid = "t1.why"')
    starter.rubric.write_text((text[:begins] + text[ends:]).replace("points = 3 ", "points = 1 "))
    (starter.checks / "test_x.py").unlink()
    shutil.rmtree(starter.wrong)
    found = review(starter, jobs=2, progress=no_progress)
    assert found.faults == []
    assert found.advice == []
