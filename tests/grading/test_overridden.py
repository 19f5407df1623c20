"""What class.toml says of a hand-in reaches its workers, its reports and its points."""

from __future__ import annotations

import csv

import pypdfium2
import pytest
from stand_ins import MODEL

from grader import grading
from grader.grading import grade_class, results

CODE = ("t3.detect", "t3.even", "t4.run")
FULL, WAITING = dict.fromkeys(CODE, 1.0), dict.fromkeys(CODE)

NET = (
    MODEL.replace("class LargeLinearModelMP", "class Net")
    .replace("(self, dim, depth):", "(self, entry, blocks, *, keep):")
    .replace("        gpus =", "        assert keep == 0.5\n        gpus =")
    .replace("range(depth)", "range(blocks)")
    .replace("// depth", "// blocks")
    .replace("nn.Linear(dim, dim)", "nn.Linear(entry, entry)")
)
SAID = """
[overrides.net]
arguments = { entry = "$width", blocks = "$depth", keep = 0.5 }

[overrides.tasks]
files = { t1 = "answers.md", t3 = "three.py", t4 = "four.py:Four" }
"""


def graded(home):
    return grade_class(home / "class", home / "out", jobs=2, progress=lambda *_: None)


def score_of(home, id_):
    score = results.read(home / "out", id_)
    return score, {c.id: c.earned for c in score.criteria if c.id in CODE}


def text_of(pdf):
    with pypdfium2.PdfDocument(pdf) as document:
        pages = (page.get_textpage().get_text_bounded() for page in document)
        return " ".join(" ".join(pages).split())


@pytest.fixture
def home(tmp_path):
    files = {
        "plain/hw3.py": MODEL,
        "net/hw3.py": NET,
        "net/report.md": "Task 1\nQ1: 3 layers on GPU 0 and 3 on GPU 1.\n",
        "tasks/three.py": MODEL.replace("class LargeLinearModelMP", "class Three"),
        "tasks/four.py": MODEL.replace("class LargeLinearModelMP", "class Four").replace(
            "i * gpus // depth", "i % gpus"
        ),
        "tasks/report.md": "Task 1\nQ1: I do not know.\n",
        "tasks/answers.md": "Q1: 3 layers on GPU 0 and 3 on GPU 1.\n",
    }
    for name, text in files.items():
        file = tmp_path / "class" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path


def confirm_answer(home):
    sheet = home / "out" / "review.csv"
    with sheet.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        if (row["submission"], row["criterion"]) == ("net", "t1.q1"):
            row["earned"] = "ok"
    with sheet.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    grading.confirm(home / "out")


@pytest.mark.timeout(300)
def test_what_class_toml_says_decides_and_is_told(home):
    assert graded(home).graded == 3
    assert score_of(home, "plain")[1] == FULL
    assert score_of(home, "net")[1] == WAITING
    assert score_of(home, "tasks")[1] == WAITING
    confirm_answer(home)

    (home / "class" / "class.toml").write_text(SAID)
    result = graded(home)
    assert (result.graded, result.unchanged) == (2, 1)  # not `plain`
    net, earned = score_of(home, "net")
    assert earned == FULL
    assert net.criteria[0].earned == 1.5  # what a person has confirmed is about the same answer
    told = text_of(home / "out" / "net" / "report.pdf")
    assert "Built with entry=width, blocks=depth, keep=0.5, as the instructor says" in told
    tasks, earned = score_of(home, "tasks")
    assert earned == FULL
    assert tasks.criteria[0].found == "Q1: 3 layers on GPU 0 and 3 on GPU 1."
    assert "answers of T1: read in answers.md, as the instructor says in class.toml" in tasks.notes
    told = text_of(home / "out" / "tasks" / "report.pdf")
    assert "Judged is three.py, as the instructor says in class.toml." in told
    assert "Judged is Four in four.py, as the instructor says in class.toml." in told
    listed = text_of(home / "out" / "class.pdf")
    assert "net arguments entry=width, blocks=depth, keep=0.5 3 of 3 points" in listed
    assert "tasks files t4: four.py:Four 1 of 1 point" in listed

    (home / "class" / "class.toml").unlink()
    assert graded(home).graded == 2
    assert score_of(home, "net")[1] == WAITING
