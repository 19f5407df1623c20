"""Runs over the same results: what changed is graded, what was finished is never lost."""

import csv
import json
import os
import random
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
import quick_grading

from grader.grading import locks

TABLES = ("gradebook.csv", "review.csv", "class.pdf", "class.json")


class Class:
    """A class folder, its results, and the command that grades it."""

    def __init__(self, home):
        self.folder, self.out, self.log = home / "class", home / "out", home / "log"
        self.temporary = home / "temporary"
        for folder in (self.folder, self.temporary):
            folder.mkdir()
        self.log.touch()
        self.environment = os.environ | {
            quick_grading.LOG: str(self.log),
            "TMPDIR": str(self.temporary),
            "COLUMNS": "140",
        }

    def hand_in(self, id_, says="passed"):
        (self.folder / id_).mkdir(exist_ok=True)
        (self.folder / id_ / "hw3.py").write_text(says)

    def start(self, *options, kind="quick", out=None):
        command = quick_grading.command(
            self.folder, "--out", out or self.out, "--jobs", 2, *options, kind=kind
        )
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        return subprocess.Popen(command, env=self.environment, **pipes)

    def grade(self, *options, kind="quick", out=None, code=0):
        """Run it to its end; what it prints."""
        with self.start(*options, kind=kind, out=out) as process:
            printed, _ = process.communicate(timeout=100)
        assert process.returncode == code, printed
        assert "Traceback" not in printed
        return printed

    def confirm(self):
        with subprocess.Popen(quick_grading.command("confirm", self.out)) as confirming:
            assert confirming.wait(60) == 0

    def ran(self):
        """The hand-ins whose code was run since this was last asked."""
        names = sorted(self.log.read_text().split())
        self.log.write_text("")
        return names

    def score(self, id_):
        return json.loads((self.out / id_ / "score.json").read_text("utf-8"))

    def finished(self):
        """When each finished score was written."""
        return {p.parent.name: p.stat().st_mtime_ns for p in self.out.glob("*/score.json")}

    def tables(self, out=None):
        return [((out or self.out) / name).read_bytes() for name in TABLES]

    def review(self):
        with (self.out / "review.csv").open(encoding="utf-8-sig", newline="") as file:
            return {(r["submission"], r["criterion"]): r for r in csv.DictReader(file)}

    def fill_in(self, cells):
        """Type (earned, comment) into rows of the review sheet."""
        rows = self.review()
        for place, (earned, comment) in cells.items():
            rows[place] |= {"earned": earned, "comment": comment}
        with (self.out / "review.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, next(iter(rows.values())))
            writer.writeheader()
            writer.writerows(rows.values())


@pytest.fixture
def a_class(tmp_path):
    a_class = Class(tmp_path)
    for id_ in ("ann", "ben", "cem"):
        a_class.hand_in(id_)
    return a_class


def test_a_second_run_grades_what_changed(a_class):
    assert "3 hand-ins graded." in a_class.grade()
    assert a_class.ran() == ["ann", "ben", "cem"]
    tables = a_class.tables()
    assert "0 hand-ins graded, 3 unchanged" in a_class.grade(kind="refused")
    assert a_class.tables() == tables
    for table in TABLES:
        (a_class.out / table).unlink()
    a_class.grade(kind="refused")
    assert a_class.tables() == tables

    a_class.hand_in("ben", "failed")
    a_class.hand_in("dia")
    os.utime(a_class.folder / "cem" / "hw3.py")
    assert "2 hand-ins graded, 2 unchanged" in a_class.grade()
    assert a_class.ran() == ["ben", "dia"]
    assert (a_class.score("ben")["total"], a_class.score("dia")["total"]) == (0, 3)
    assert not list(a_class.temporary.iterdir())


def test_who_is_asked_for_is_graded(a_class):
    a_class.grade("--only", "ann", "--only", "cem")
    assert a_class.ran() == ["ann", "cem"]
    a_class.grade("--force", "--only", "ann")
    assert a_class.ran() == ["ann"]
    old = a_class.folder / "ben" / "hw3.py"
    os.utime(old, (0, 0))
    printed = a_class.grade("--force", "--since", "2001-01-01")
    assert a_class.ran() == ["ann", "cem"]
    assert "ben" not in printed
    printed = a_class.grade("--only", "bem", code=2)
    assert re.search(r"there is no hand-in 'bem'; did you mean .*'ben'", printed)
    assert "--since 'May' is no date" in a_class.grade("--since", "May", code=2)
    assert a_class.ran() == []
    seed = a_class.score("ann")["seed"]
    assert "1 hand-in graded, 2 unchanged" in a_class.grade("--seed", seed)


def test_a_fault_of_ours_is_tried_again_and_costs_nobody_else(a_class):
    a_class.hand_in("ben", "ours")
    a_class.hand_in("cem", "dies")
    printed = a_class.grade(code=1)
    assert a_class.ran() == ["ann", "ben", "cem", "cem"]
    assert "not graded, our fault: ben: ValueError: a fault of ours" in printed
    assert "not graded, our fault: cem: the process that judges it died twice" in printed
    a_class.grade(code=1)
    assert a_class.ran() == ["ben", "cem", "cem"]


def test_a_class_may_stay_in_its_archive(a_class):
    """Packed anew, the same hand-ins are the same."""
    folder = a_class.folder
    for ending in ("zip", "gztar"):
        a_class.folder = Path(shutil.make_archive(folder, ending, folder))
        printed = a_class.grade(kind="quick" if ending == "zip" else "refused")
        assert ("3 hand-ins graded." if ending == "zip" else "3 unchanged") in printed
    assert a_class.ran() == ["ann", "ben", "cem"]
    assert list(a_class.temporary.iterdir()) == []


def test_who_is_excused_is_said(a_class):
    (a_class.folder / "class.toml").write_text(
        'deadline = 2020-01-01\nroster = "roster.csv"\n'
        '[overrides]\nann.excused = "was ill"\ndan.excused = "abroad"\n'
    )
    (a_class.folder / "roster.csv").write_text("id,name\nann,Ann\nben,Ben\ncem,Cem\ndan,Dan\n")
    printed = a_class.grade()
    assert "excused: ann: was ill\nexcused: dan: abroad\n" in printed
    assert "nothing handed in: dan (Dan)" in printed
    assert a_class.score("ann")["excused"] == "was ill"


def test_what_the_class_folder_says_needs_no_code(a_class):
    a_class.grade()
    a_class.ran()
    (a_class.folder / "class.toml").write_text(
        'roster = "roster.csv"\noverrides.ben.points."t1.q1" = { earned = 1, reason = "told" }\n'
    )
    (a_class.folder / "roster.csv").write_text("id,name\nann,Õnne\nben,Ben\ncem,Cem\n", "utf-8")
    printed = a_class.grade(kind="refused")
    assert "0 hand-ins graded, 3 scored again from what was seen before" in printed
    assert a_class.ran() == []
    assert a_class.score("ann")["student"]["name"] == "Õnne"
    assert a_class.score("ben")["total"] == 4
    (a_class.folder / "class.toml").write_text('roster = "roster.csv"\n')
    assert "1 scored again from what was seen before, 2 unchanged" in a_class.grade(kind="refused")
    assert a_class.score("ben")["total"] == 3
    assert a_class.review()["ben", "t1.q1"]["earned"] == ""


def test_a_persons_work_is_never_lost(a_class):
    a_class.grade()
    places = {id_: (id_, "t1.q1") for id_ in ("ann", "ben", "cem")}
    a_class.fill_in({places["ann"]: ("1,25", "nearly")})
    a_class.confirm()
    assert a_class.score("ann")["total"] == 4.25
    a_class.fill_in({places["ben"]: ("1", "typed"), places["cem"]: ("0.5", "typed too")})

    assert "kept" not in a_class.grade(kind="refused")
    assert a_class.review()[places["ben"]]["comment"] == "typed"

    a_class.hand_in("cem", "failed")
    printed = a_class.grade()
    kept = a_class.out / "review.kept-1.csv"
    assert f"What was filled in after an earlier run is kept in {kept}" in printed
    assert "typed too" in kept.read_text("utf-8")
    rows = a_class.review()
    assert (rows[places["ben"]]["earned"], rows[places["ben"]]["comment"]) == ("1", "typed")
    assert rows[places["cem"]]["earned"] == ""
    assert (rows[places["ann"]]["earned"], a_class.score("ann")["total"]) == ("1.25", 4.25)

    a_class.grade("--force")  # what ann handed in is still the same
    assert a_class.score("ann")["total"] == 4.25
    a_class.hand_in("ann", "failed")
    a_class.grade()
    assert (
        "Decided before: 1.25 of 1.5 points: nearly" in a_class.review()[places["ann"]]["evidence"]
    )


# ---------------------------------------------------------------------- ended early


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_run_keeps_what_is_finished_and_goes_on(a_class, number, code):
    a_class.hand_in("ben", "sleeps")
    with a_class.start() as process:
        wait_until(lambda: set(a_class.finished()) == {"ann", "cem"})
        wait_until(lambda: "ben" in a_class.log.read_text())
        began = time.monotonic()
        process.send_signal(number)
        printed, _ = process.communicate(timeout=60)
    assert time.monotonic() - began < 30
    assert process.returncode == code
    assert "Traceback" not in printed
    assert "2 hand-ins graded." in printed
    assert "1 still to be graded. What is finished is kept; the same command goes on." in printed
    assert b"ann" in a_class.tables()[0]
    assert not list(a_class.temporary.iterdir())
    a_class.ran()
    a_class.hand_in("ben")
    a_class.grade()
    assert a_class.ran() == ["ben"]


def test_killed_at_any_moment_the_next_run_goes_on(tmp_path):
    a_class = Class(tmp_path)
    for number in range(10):
        a_class.hand_in(f"s{number:02}", ("passed", "failed")[number % 3 == 0])
    a_class.grade(out=tmp_path / "undisturbed")
    moments = random.Random(4)
    kills = 0
    while len(finished := a_class.finished()) < 10 and kills < 8:
        process = a_class.start()
        wait_until(a_class.out.exists)
        time.sleep(moments.uniform(0.0, 1.4))
        process.kill()
        process.communicate()
        kills += 1
        now = a_class.finished()
        assert {id_: now[id_] for id_ in finished} == finished  # none is written twice
        assert all(a_class.score(id_)["submission"] == id_ for id_ in now)
    assert kills >= 2
    wait_until(lambda: can_be_locked(a_class.out))
    a_class.grade()
    assert a_class.tables() == a_class.tables(tmp_path / "undisturbed")
    assert not list(a_class.out.rglob("*.part"))
    assert not list(a_class.temporary.iterdir())


def can_be_locked(out):
    with locks.only_run_in(out):
        return True


def test_two_runs_at_once(a_class):
    a_class.hand_in("ben", "sleeps")
    with a_class.start() as process:
        wait_until((a_class.out / ".lock").exists)
        wait_until(lambda: "ben" in a_class.log.read_text())
        printed = a_class.grade(code=2)
        assert re.search(
            rf"another `grade` is at work in \S+; found process {process.pid};", printed
        )
        process.kill()


def wait_until(true):
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)
