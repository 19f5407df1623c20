"""Which file of a hand-in is the script that a check asks for."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.checking.expect import NeedsPerson, NotHandedIn
from grader.judge.choosing import choose
from grader.rubric import Script

FIRST = Script("first", ["part1", "baseline", "lab"])
JOINING = Script("joining", ["part2", "lab"], says=["cat"])
WORKS = "import torch\nprint(torch.ones(2))\n"
JOINS = "import torch\nprint(torch.cat([torch.ones(2)]))\n"
DEFINES = "from torch import nn\nclass Net(nn.Module):\n    pass\n"

SAMPLE = Script(
    "sample",
    ["sample", "part1"],
    says=["init"],
    others=["broken", "part5"],
    words={"micro": ["MICRO"], "batch": ["BATCH"]},
)
BROKEN = Script("broken", ["broken", "part5"], says=["init"], optional=True)
TEXT = "MICRO = 4\nBATCH = 64\ninit()\n"


@pytest.fixture
def chosen(hand_in):
    def choose_among(files, script=SAMPLE):
        texts = files if isinstance(files, dict) else dict.fromkeys(files, TEXT)
        folder = hand_in(texts)
        return str(choose(script, folder, [Path(name) for name in sorted(texts)]))

    return choose_among


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["sample.py", "sample_mb8.py", "sample_broken.py"], "sample.py"),
        (["python/sample.py", "python/broken.py"], "python/sample.py"),
        (["a.py", "part5.py"], "a.py"),
        (["part5.py"], "part5.py"),
        ({"model.py": "x = 1", "run.py": TEXT}, "run.py"),
    ],
)
def test_by_names_of_it_and_of_others(chosen, files, expected):
    assert chosen(files) == expected


def test_files_that_differ_in_constants_are_the_same(chosen):
    files = {
        "sample_2.py": TEXT.replace("4", "2"),
        "sample_8.py": TEXT.replace("MICRO = 4", "MICRO = 8"),
        "sample_32.py": TEXT.replace("64", "32"),
    }
    assert chosen(files) == "sample_2.py"


def test_files_that_differ_in_more_are_for_a_person(chosen):
    files = {"sample_2.py": TEXT, "sample_8.py": TEXT + "print(8)\n"}
    with pytest.raises(NeedsPerson, match=r"sample_2\.py, sample_8\.py could be it"):
        chosen(files)


def test_an_optional_one_is_called_by_its_name(chosen):
    assert chosen(["sample.py", "sample_broken.py"], BROKEN) == "sample_broken.py"
    with pytest.raises(NotHandedIn, match="no file is called broken or part5"):
        chosen(["python/sample.py"], BROKEN)


@pytest.mark.parametrize(
    ("script", "files", "chosen"),
    [
        (FIRST, {"anything.py": WORKS}, "anything.py"),
        (FIRST, {"lab_part1.py": WORKS, "lab_part2.py": JOINS}, "lab_part1.py"),
        (JOINING, {"lab_part1.py": WORKS, "lab_part2.py": JOINS}, "lab_part2.py"),
        (JOINING, {"a.py": WORKS, "b.py": JOINS}, "b.py"),
        (FIRST, {"baseline.py": WORKS, "lab.py": WORKS, "old.py": WORKS}, "baseline.py"),
        (FIRST, {"lab.py": WORKS, "lab_old.py": WORKS}, "lab.py"),
        (FIRST, {"net.py": DEFINES, "run.py": f"from net import Net\n{WORKS}"}, "run.py"),
        (JOINING, {"lab.py": "def join(x):\n    return torch.cat(x)\n", "go.py": WORKS}, "go.py"),
        (FIRST, {"net.py": DEFINES}, "net.py"),
    ],
)
def test_the_file_that_is_meant(hand_in, script, files, chosen):
    folder = hand_in(files)
    assert choose(script, folder, [Path(name) for name in files]) == Path(chosen)


@pytest.mark.parametrize(
    "files", [{}, {"a.py": WORKS, "b.py": f"{WORKS}print(2)\n"}], ids=["none", "two"]
)
def test_where_none_or_several_could_be_it_a_person_says(hand_in, files):
    folder = hand_in({"keep.txt": "", **files})
    with pytest.raises(NeedsPerson):
        choose(FIRST, folder, [Path(name) for name in files])
