"""What an instructor says of a hand-in decides what is judged, and is told with the points."""

from __future__ import annotations

from pathlib import Path

import pytest
from stand_ins import MODEL

from grader.assignment import find
from grader.judge import Directions, Said, generator, judge, rescore

SUBMISSIONS = Path(__file__).parents[1] / "submissions"
FULL = {"t3.detect": 1.0, "t3.even": 1.0, "t4.run": 1.0}
PENDING = dict.fromkeys(FULL)


def changed(text, *pairs):
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return text


#: Nobody can guess what to pass for `blocks`, `hidden` and `split`; `scale` has a default.
UNGUESSABLE = changed(
    MODEL,
    ("class LargeLinearModelMP", "class Net"),
    ("(self, dim, depth):", "(self, entry, blocks, hidden, *, split, scale=0):"),
    (
        "        gpus =",
        "        assert (hidden, split, scale) == (64, [1, 'even'], 1)\n        gpus =",
    ),
    ("range(depth)", "range(blocks)"),
    ("// depth", "// blocks"),
    ("nn.Linear(dim, dim)", "nn.Linear(entry, entry)"),
)
ARGUMENTS = {
    "entry": "$width",
    "blocks": "$depth",
    "hidden": 64,
    "split": [1, "even"],
    "scale": 1,
}
LEAVES_FIRST_FREE = changed(MODEL, ("i * gpus // depth", "1 + i * (gpus - 1) // depth"))
IN_TURNS = changed(MODEL, ("i * gpus // depth", "i % gpus"))


@pytest.fixture
def judged(rubric, launcher, hand_in):
    def run(files, said=None):
        files = {"hw3.py": files} if isinstance(files, str) else files
        folder = hand_in(files)
        names = [Path(name) for name in sorted(files)]
        return judge(find("hw3"), rubric, folder, names, launcher, generator("a seed"), said)

    return run


def earned(verdict):
    return {id_: score.earned for id_, score in verdict.criteria.items()}


def evidence(verdict):
    return {id_: score.evidence for id_, score in verdict.criteria.items()}


# ---------------------------------------------------------------------- arguments


def test_arguments_that_nobody_could_guess(judged):
    assert earned(judged(UNGUESSABLE)) == PENDING
    verdict = judged(UNGUESSABLE, Said(Directions(arguments=ARGUMENTS)))
    assert earned(verdict) == FULL, evidence(verdict)
    said = (
        "Built with entry=width, blocks=depth, hidden=64, split=[1, 'even'], scale=1, as the "
        "instructor says in class.toml."
    )
    assert all(text.endswith(f". {said}") for text in evidence(verdict).values())


def test_what_fails_with_such_arguments_costs_nothing(judged):
    verdict = judged(UNGUESSABLE, Said(Directions(arguments=ARGUMENTS | {"hidden": 65})))
    assert earned(verdict) == PENDING
    for text in evidence(verdict).values():
        assert "hidden=65" in text
        assert "as class.toml says, building the model failed: AssertionError" in text
        assert "Built with" not in text
    in_forward = changed(
        UNGUESSABLE, ("        for layer in self", "        1 / 0\n        for layer in self")
    )
    verdict = judged(in_forward, Said(Directions(arguments=ARGUMENTS)))
    assert earned(verdict)["t4.run"] is None
    assert "the forward pass failed: ZeroDivisionError" in evidence(verdict)["t4.run"]


def test_what_is_wrong_with_such_arguments_costs_points_all_the_same(judged):
    wrong = changed(UNGUESSABLE, ("i * gpus // blocks", "(i * gpus // blocks) % 2 % gpus"))
    verdict = judged(wrong, Said(Directions(arguments=ARGUMENTS)))
    assert earned(verdict)["t3.detect"] == 0.0
    assert evidence(verdict)["t3.detect"].endswith("as the instructor says in class.toml.")


def test_a_parameter_that_the_constructor_has_not(judged):
    verdict = judged(UNGUESSABLE, Said(Directions(arguments=ARGUMENTS | {"hiden": 64})))
    assert earned(verdict) == PENDING
    assert (
        "class.toml gives a value for 'hiden', which is no parameter of Net; its parameters are "
        "(entry, blocks, hidden, *, split, scale=0)"
    ) in evidence(verdict)["t3.even"]


def test_a_literal_where_a_size_is_asked_for(judged):
    verdict = judged(MODEL, Said(Directions(arguments={"depth": 20})))
    assert earned(verdict) == PENDING
    assert "takes no depth" in evidence(verdict)["t4.run"]


@pytest.mark.parametrize(
    ("parameter", "use"),
    [("cfg", "cfg.{}"), ("cfg", "cfg['{}']"), ("**cfg", "cfg['{}']")],
)
def test_settings_as_an_object_a_table_or_options(parameter, use, judged):
    text = changed(MODEL, ("(self, dim, depth):", f"(self, {parameter}):"))
    assigned = "; ".join(f"{name} = {use.format(name)}" for name in ("dim", "depth"))
    text = changed(text, ("        gpus =", f"        {assigned}\n        gpus ="))
    inner = {"dim": "$width", "depth": "$depth"}
    arguments = inner if parameter.startswith("*") else {"cfg": inner}
    assert earned(judged(text)) == PENDING
    assert earned(judged(text, Said(Directions(arguments=arguments)))) == FULL


def test_gpus_that_the_script_passes_are_followed(judged):
    """What is said is which parameter it is; whether they are detected is seen in the script."""
    takes = changed(
        MODEL,
        ("(self, dim, depth):", "(self, dim, depth, parts):"),
        ("        gpus = torch.cuda.device_count()\n", ""),
        ("i * gpus", "i * parts"),
    )
    said = Said(Directions(arguments={"parts": "$gpus"}))
    asks = takes + "model = LargeLinearModelMP(DIM, DEPTH, torch.cuda.device_count())\n"
    assert earned(judged(asks, said)) == FULL
    assert earned(judged(takes, said))["t3.detect"] is None
    two = takes + "model = LargeLinearModelMP(DIM, DEPTH, 2)\n"
    assert earned(judged(two, said))["t3.even"] == 0.0


def test_the_script_is_run_with_the_depth_that_is_asked_for(judged):
    runs = UNGUESSABLE + (
        "model = Net(DIM, blocks=8, hidden=64, split=[1, 'even'], scale=1)\n"
        "model(torch.zeros(2, DIM, device='cuda:0'))\n"
    )
    verdict = judged(runs, Said(Directions(arguments=ARGUMENTS)))
    assert earned(verdict) == FULL
    [script] = [one for one in verdict.observations if one["probe"] == "script"]
    assert [len(way["placement"]) for way in script["passes"]] == [script["depth"]]


# ---------------------------------------------------------------------- files and classes


def test_a_file_for_each_task(judged):
    files = {"a.py": MODEL, "b.py": IN_TURNS, "old.py": LEAVES_FIRST_FREE}
    assert earned(judged(files)) == PENDING
    said = Said(tasks={"t3": Directions(Path("b.py")), "t4": Directions(Path("old.py"))})
    verdict = judged(files, said)
    assert earned(verdict) == {"t3.detect": 1.0, "t3.even": 1.0, "t4.run": 0.0}
    told = evidence(verdict)
    assert told["t3.even"].endswith("Judged is b.py, as the instructor says in class.toml.")
    assert told["t4.run"].endswith("Judged is old.py, as the instructor says in class.toml.")
    assert any(one["probe"] == "train" for one in verdict.observations)


def test_tasks_without_a_file_of_their_own(judged):
    files = {"a.py": MODEL, "old.py": LEAVES_FIRST_FREE}
    t3 = {"t3": Directions(Path("a.py"))}
    found = earned(judged(files, Said(tasks=t3)))
    assert found == {"t3.detect": 1.0, "t3.even": 1.0, "t4.run": None}
    found = earned(judged(files, Said(Directions(Path("old.py")), t3)))
    assert found == {"t3.detect": 1.0, "t3.even": 1.0, "t4.run": 0.0}


def test_where_we_guess_wrong(judged):
    """The class with the name of the assignment is an old one."""
    files = {"old.py": LEAVES_FIRST_FREE, "task3.py": changed(MODEL, ("LargeLinearModelMP", "Net"))}
    assert earned(judged(files))["t3.detect"] == 0.0
    file = Path("task3.py")
    verdict = judged(files, Said(tasks=dict.fromkeys(("t3", "t4"), Directions(file))))
    assert earned(verdict) == FULL


def test_the_class_that_is_meant(judged):
    both = MODEL + changed(LEAVES_FIRST_FREE, ("class LargeLinearModelMP", "class Other"))
    assert earned(judged(both)) == FULL
    verdict = judged(both, Said(Directions(Path("hw3.py"), "Other")))
    assert earned(verdict)["t3.detect"] == 0.0
    assert "Judged is Other in hw3.py, as the instructor" in evidence(verdict)["t3.detect"]
    verdict = judged(both, Said(Directions(Path("hw3.py"), "Gone")))
    assert earned(verdict) == PENDING
    assert "class.toml names the class Gone, which is not in hw3.py" in evidence(verdict)["t4.run"]


def test_points_may_move_later(judged, rubric):
    files = {"a.py": MODEL, "old.py": LEAVES_FIRST_FREE}
    said = Said(Directions(arguments={"dim": "$width"}), {"t3": Directions(Path("a.py"))})
    verdict = judged(files, said)
    assert rescore(rubric, verdict.record) == verdict
