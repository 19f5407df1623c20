"""The command as people type it: real processes, real reports, exit codes."""

import csv
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pypdfium2
import pytest

from grader.assignment import find

HAND_INS = Path(__file__).parent / "submissions"
CODE = ("t3.detect", "t3.even", "t4.run")


def grade(*arguments, cwd=None, **environment):
    done = subprocess.run(
        [sys.executable, "-m", "grader.cli", *map(str, arguments)],
        cwd=cwd,
        env=os.environ | {"COLUMNS": "140"} | environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def hand_in(folder, kind="right/round_robin"):
    home = find("hw3").checks if kind.startswith("wrong/") else HAND_INS
    shutil.copytree(home / kind, folder, ignore=shutil.ignore_patterns("*.toml"))
    return folder


def scores_of(out):
    found = {p.parent.name: json.loads(p.read_text("utf-8")) for p in out.glob("*/score.json")}
    return {
        key: {c["id"]: c["earned"] for c in score["criteria"] if c["id"] in CODE}
        for key, score in found.items()
    }


def text_of(pdf):
    with pypdfium2.PdfDocument(pdf) as document:
        return "\n".join(page.get_textpage().get_text_range() for page in document)


FULL = dict.fromkeys(CODE, 1.0)
NOTHING = dict.fromkeys(CODE, 0.0)
WAITING = dict.fromkeys(CODE)


@pytest.fixture(scope="module")
def class_run(tmp_path_factory):
    """A class in which much is wrong, graded once."""
    home = tmp_path_factory.mktemp("class")
    folder = home / "class"
    folder.mkdir()
    hand_in(folder / "good")
    hand_in(folder / 'a "quoted" näme & <b>', "right/layer_norm")
    hand_in(folder / "syntax", "wrong/syntax_error")
    hand_in(folder / "no code", "wrong/no_python")
    (folder / "latin1").mkdir()
    (folder / "latin1" / "hw3.py").write_bytes(b"# caf\xe9\nimport torch\n")
    (folder / "letter.zip").write_text("Dear teacher, my dog ate it.")
    with zipfile.ZipFile(folder / "escape.zip", "w") as archive:
        archive.writestr("../../outside.py", "print('hello')")
    (folder / "notes.txt").write_text("bring coffee")
    (folder / "class.toml").write_text(
        '[overrides.good]\nname = "Õnne Žukova"\n'
        'points."t1.q1" = { earned = 1.5, reason = "told in person" }\n'
    )
    return home, *grade(folder, "--out", home / "out", "--jobs", 2)


def test_everyone_is_graded_whatever_the_others_handed_in(class_run):
    home, code, printed = class_run
    assert code == 0, printed
    assert scores_of(home / "out") == {
        "good": FULL,
        'a "quoted" näme & <b>': FULL,
        "syntax": NOTHING,
        "no code": NOTHING,
        "latin1": WAITING,
        "letter": WAITING,
        "escape": WAITING,
    }
    assert not list(home.rglob("outside.py"))


def test_each_trouble_has_its_own_clear_line(class_run):
    _, _, printed = class_run
    assert "letter" in printed
    assert "zip" in printed
    assert "ignored: notes.txt" in printed
    assert "7 hand-ins graded" in printed
    assert "grade confirm" in printed


def test_every_hand_in_has_a_report_that_says_what_happened(class_run):
    home, _, _ = class_run
    said = {path.parent.name: text_of(path) for path in (home / "out").glob("*/report.pdf")}
    assert len(said) == 7
    assert "Õnne Žukova" in said["good"]
    assert "told in person" in said["good"]
    assert "SyntaxError" in said["syntax"]
    assert "not UTF-8" in said["latin1"]
    assert "zip" in said["letter"]


def test_an_override_gives_points_by_hand(class_run):
    home, _, _ = class_run
    score = json.loads((home / "out/good/score.json").read_text("utf-8"))
    criterion = next(c for c in score["criteria"] if c["id"] == "t1.q1")
    assert (criterion["earned"], criterion["state"]) == (1.5, "final")
    assert score["total"] == 4.5
    assert score["pending"] == 10.5


def test_a_second_run_writes_the_same_gradebook(class_run, tmp_path):
    home, _, _ = class_run
    code, printed = grade(home / "class", "--out", tmp_path / "again", "--jobs", 1)
    assert code == 0, printed
    first = (home / "out/gradebook.csv").read_bytes()
    assert (tmp_path / "again/gradebook.csv").read_bytes() == first


def test_the_seed_in_a_score_gives_the_same_score_again(class_run, tmp_path):
    for name, kind in (("good", "right/round_robin"), ("norm", "right/layer_norm")):
        hand_in(tmp_path / "class" / name, kind)

    def scores(out, *arguments):
        code, printed = grade(tmp_path / "class", "--out", out, *arguments)
        assert code == 0, printed
        found = [json.loads(p.read_text("utf-8")) for p in sorted(out.glob("*/score.json"))]
        for score in found:
            assert score.pop("graded_at")
        return found

    first = scores(tmp_path / "one", "--jobs", 2)
    seed = first[0]["seed"]
    assert scores(tmp_path / "two", "--jobs", 1, "--seed", seed) == first
    home, _, _ = class_run
    other = json.loads((home / "out/good/score.json").read_text("utf-8"))
    assert other["seed"] != seed
    assert other["observations"] != first[0]["observations"]


def test_a_person_confirms_points(class_run, tmp_path):
    home, _, _ = class_run
    out = tmp_path / "out"
    shutil.copytree(home / "out", out)
    review = out / "review.csv"
    with review.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    chosen = next(r for r in rows if (r["submission"], r["criterion"]) == ("good", "t1.q2"))
    chosen["earned"], chosen["comment"] = "1,25", "nearly"
    with review.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    code, printed = grade("confirm", out)
    assert code == 0, printed
    score = json.loads((out / "good/score.json").read_text("utf-8"))
    assert score["total"] == 5.75
    assert "nearly" in text_of(out / "good/report.pdf")
    chosen["earned"] = "99"
    with review.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    code, printed = grade("confirm", out)
    assert code == 2
    assert "line" in printed
    assert "99" in printed
    assert json.loads((out / "good/score.json").read_text("utf-8")) == score


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere"], "nowhere does not exist"),
        (["empty"], "empty is empty"),
        (["file.txt"], "file.txt is a file"),
        (["class", "good", "--assignment", "hw9"], "there is no assignment 'hw9'; expected hw3"),
        (["confirm", "empty"], "empty holds no results"),
        (["new", "hw9", "x"], "there is no assignment 'hw9'"),
        (["new", "hw3", "good"], "good already has something in it"),
        (["good", "--jobs", "0"], "--jobs"),
        (["good", "--out", "file.txt"], "results cannot be written to file.txt"),
        (["twice"], "ann"),
    ],
)
def test_wrong_usage_is_one_clear_message(tmp_path, arguments, said):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file.txt").write_text("x")
    hand_in(tmp_path / "good" / "s1", "wrong/no_python")
    (tmp_path / "twice").mkdir()
    (tmp_path / "twice" / "ann.py").write_text("x")
    (tmp_path / "twice" / "ann.zip").write_text("x")
    code, printed = grade(*arguments, cwd=tmp_path)
    assert code == 2, printed
    assert said in printed
    assert "Traceback" not in printed


def test_subcommands_win_over_folders_of_the_same_name(tmp_path):
    hand_in(tmp_path / "new" / "s1", "wrong/no_python")
    assert grade("new", "hw3", "mine", cwd=tmp_path)[0] == 0
    assert (tmp_path / "mine" / "assignment.toml").is_file()
    code, printed = grade("./new", cwd=tmp_path)
    assert code == 0, printed
    assert "1 hand-in graded" in printed


def test_help_and_version_come_without_torch():
    code, printed = grade("--help", PYTHONPROFILEIMPORTTIME="1")
    assert code == 0
    assert "grade submissions/" in printed
    assert "| torch" not in printed
    assert grade("--version")[1].startswith("grade, version ")


def test_an_installed_package_grades_from_anywhere(tmp_path):
    """Built as for a wheel: the assignments must be inside."""
    pytest.importorskip("setuptools", reason="setuptools is needed to build the package")
    checkout = Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "setup.py", "-q", "build", "--build-base", tmp_path / "build"],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    built = tmp_path / "build" / "lib"
    hand_in(tmp_path / "class" / "s1")
    script = (
        "import sys; sys.path.insert(0, sys.argv.pop(1)); import grader.assignment as a; "
        "print(a.built_in()); from grader.cli import main; main()"
    )
    out = subprocess.run(
        [sys.executable, "-c", script, built, "class"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert str(built / "grader" / "assignments") in out.stdout
    assert (built / "grader/assignments/rubrics/hw3/rubric.toml").is_file()
    assert (built / "grader/assignments/student_template/hw3/assignment.toml").is_file()
    assert list((built / "grader/reports/fonts").glob("*.ttf"))
