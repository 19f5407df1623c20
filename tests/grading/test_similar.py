"""A class is compared once it is graded: the instructor is told, no student is."""

import csv
import json
import os
import shutil
import subprocess
from pathlib import Path

import pypdfium2
import pytest
import quick_grading

from grader import similarity
from grader.assignment import find
from grader.grading import results, similar

CORPUS = Path(__file__).parents[1] / "corpus"
SCRIPTS = {
    "mari": "latex_clean/files/hw3.py",
    "juku": "cpu_bounce/files/HW3_model_parallel.py",
    "anna": "gdocs_gib/files/homework3.py",
}
REPORT = """\
Task 2
Table
| DEPTH | Step time (ms) |
| 6 | {0} |
| 12 | {1} |
| 24 | {2} |
Answer
{3}
"""
SENTENCE = "No, because my third and my fourth machine only ever waited for the second one."


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A class in which Jüri has Mari's script and table: (class, results, what was printed)."""
    home = tmp_path_factory.mktemp("similar")
    for number, (id_, script) in enumerate(SCRIPTS.items(), 1):
        times = [f"{number * 5.4321 * depth:.3f}" for depth in (1, 2, 4)]
        write(home / "class" / id_, CORPUS / script, REPORT.format(*times, f"{id_} says no."))
    said = (home / "class/mari/report.txt").read_text().replace("mari says no.", SENTENCE)
    write(home / "class" / "jüri", CORPUS / SCRIPTS["mari"], said)
    (home / "class/mari/report.txt").write_text(said)
    return home / "class", home / "out", grade(home)


def write(folder, script, report):
    folder.mkdir(parents=True)
    (folder / "hw3.py").write_text("passed")  # what is seen of it
    shutil.copy(script, folder / "model.py")
    (folder / "report.txt").write_text(report, "utf-8")


def grade(home, *options, kind="quick"):
    command = quick_grading.command(home / "class", "--out", home / "out", *options, kind=kind)
    environment = os.environ | {quick_grading.LOG: str(home / "log"), "COLUMNS": "140"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def table(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def kinds():
    return ["code", "table", "words"] if similarity.library_version() else ["table", "words"]


def test_the_instructor_gets_a_list_and_a_line(graded):
    _, out, printed = graded
    assert f"1 pair of hand-ins with much in common: {out / 'similar.csv'} says" in printed
    rows = table(out / "similar.csv")
    assert [row["in common"] for row in rows] == kinds()
    assert {(row["first"], row["second"]) for row in rows} == {("jüri", "mari")}
    assert SENTENCE in rows[-1]["what"]
    assert ("pip install copydetect" in printed) == ("code" not in kinds())


def test_the_report_of_the_class_lists_it(graded):
    _, out, _ = graded
    with pypdfium2.PdfDocument(out / "class.pdf") as pdf:
        told = " ".join(page.get_textpage().get_text_bounded() for page in pdf)
    assert "Alike" in told
    assert "1 pair of hand-ins has much in common: no verdict" in " ".join(told.split())


def test_the_sheet_says_whose_table_it_is_too(graded):
    _, out, _ = graded
    told = {(r["submission"], r["criterion"]): r["in common"] for r in table(out / "review.csv")}
    assert told["jüri", "t2.table"].startswith("mari has the same times, to the last digit (5.432")
    assert told["mari", "t2.table"].startswith("jüri has the same times")
    assert sum(map(bool, told.values())) == 2


def test_no_student_is_told(graded):
    _, out, _ = graded
    for id_, other in (("mari", "jüri"), ("jüri", "mari")):
        for file in (out / id_).glob("*.json"):
            text = file.read_text("utf-8")
            assert id_ in text or file.name == "observed.json"
            assert other not in text
            assert "in common" not in text


def test_an_unchanged_class_is_not_compared_again(graded, monkeypatch):
    folder, out, _ = graded
    before = (out / "similar.json").stat().st_mtime_ns
    again = grade(folder.parent, kind="refused")
    assert "1 pair of hand-ins" in again
    assert (out / "similar.json").stat().st_mtime_ns == before
    monkeypatch.setattr(similarity, "compare", lambda *_: pytest.fail("it is"))
    scores = list(results.stored(out))
    assert similar.bring_up_to_date(out, find("hw3"), scores) == similar.read(out)
    monkeypatch.setattr(similarity, "library_version", lambda: "another")
    with pytest.raises(pytest.fail.Exception):
        similar.bring_up_to_date(out, find("hw3"), scores)


def test_what_changes_is_compared_again(graded):
    folder, out, _ = graded
    report = folder / "jüri" / "report.txt"
    kept = report.read_text("utf-8")
    report.write_text(REPORT.format(1.1, 2.2, 3.3, "Not at all."), "utf-8")
    grade(folder.parent)
    assert [row["in common"] for row in table(out / "similar.csv")] == kinds()[:-2]
    assert not any(row["in common"] for row in table(out / "review.csv"))
    report.write_text(kept, "utf-8")
    grade(folder.parent)
    assert [row["in common"] for row in table(out / "similar.csv")] == kinds()


def test_a_fault_of_ours_is_told_and_costs_nobody_anything(graded, monkeypatch, tmp_path):
    _, out, _ = graded

    def fail(*_):
        raise RecursionError("too deep")

    monkeypatch.setattr(similarity, "compare", fail)
    found = similar.bring_up_to_date(tmp_path, find("hw3"), list(results.stored(out)))
    assert found.fault == "RecursionError: too deep"
    assert found.in_common == ()
    assert not (tmp_path / similar.FILE).exists()


def test_an_earlier_hand_in_of_a_student_is_not_compared(graded, tmp_path):
    copy = tmp_path / "out"
    shutil.copytree(graded[1], copy)
    score = json.loads((copy / "mari" / "score.json").read_text("utf-8"))
    score["made_from"]["submission"] = "another"  # that could not be graded
    (copy / "mari" / "score.json").write_text(json.dumps(score), "utf-8")
    assert similar.bring_up_to_date(copy, find("hw3"), list(results.stored(copy))).in_common == ()


def test_points_are_confirmed_with_a_number_not_with_ok(graded, tmp_path):
    copy = tmp_path / "out"
    shutil.copytree(graded[1], copy)
    score = json.loads((copy / "mari" / "score.json").read_text("utf-8"))
    [suggested] = (c for c in score["criteria"] if c["id"] == "t2.table")
    suggested |= {"state": "provisional", "earned": 1.5, "outcome": "passed"}
    (copy / "mari" / "score.json").write_text(json.dumps(score), "utf-8")
    for earned, code in (("ok", 2), ("0,5", 0)):
        rows = table(copy / "review.csv")
        [row] = (r for r in rows if (r["submission"], r["criterion"]) == ("mari", "t2.table"))
        row["earned"] = earned
        with (copy / "review.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, row)
            writer.writeheader()
            writer.writerows(rows)
        command = [*quick_grading.command()[:-1], "quick", "confirm", str(copy)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
        assert ("jüri has the same times" in done.stderr) == (earned == "ok")
    score = json.loads((copy / "mari" / "score.json").read_text("utf-8"))
    assert {c["id"]: c["earned"] for c in score["criteria"]}["t2.table"] == 0.5
