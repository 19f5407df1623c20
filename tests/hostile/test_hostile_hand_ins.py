"""A class of hostile hand-ins, and one honest, through the whole grader."""

from __future__ import annotations

import io
import json
import pickle
import shutil
import stat
import zipfile
from pathlib import Path

import pytest
from hostile_hand_ins import hand_ins

from grader.assignment import find
from grader.grading import grade_class
from grader.judge import judge
from grader.records import Kind, State

ROOT = Path(__file__).parents[2]
HONEST = ROOT / "tests" / "submissions" / "right" / "count_at_import" / "hw3.py"


class Evil:
    """What code runs when it is unpickled."""

    def __init__(self, outside: Path) -> None:
        self.outside = outside

    def __reduce__(self):
        return exec, (f"open({str(self.outside)!r}, 'w').write('spoiled')",)


def with_links(archive, outside):
    for name, target in (("hw3.py", HONEST), ("report.pdf", outside), ("up", "/")):
        link = zipfile.ZipInfo(name)
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, str(target))


def with_ways_out(archive, outside):
    for name in (
        str(outside),
        "../" * 20 + str(outside).lstrip("/"),
        "..\\..\\outside",
        "../ann/hw3.py",
    ):
        archive.writestr(name, "spoiled")


def with_a_bomb(archive, outside):
    archive.writestr("hw3.py", bytes(300 << 20))


def with_thousands_of_files(archive, outside):
    for number in range(3000):
        archive.writestr(f"{number}/hw3.py", "")


def with_a_pickle(archive, outside):
    for name in ("model.pt", "hw3.pkl", "score.json"):
        archive.writestr(name, pickle.dumps(Evil(outside)))


ARCHIVES = (with_links, with_ways_out, with_a_bomb, with_thousands_of_files, with_a_pickle)


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """The scores by hand-in, and the folder with what lay outside."""
    folder = tmp_path_factory.mktemp("class")
    submissions, out, outside = folder / "submissions", folder / "out", folder / "outside"
    outside.write_text("as it was")
    outside.chmod(0o666)
    (submissions / "ann").mkdir(parents=True)
    shutil.copy(HONEST, submissions / "ann" / "hw3.py")
    world = {
        "solution": str(ROOT / "reference" / "hw3" / "hw3.py"),
        "neighbour": str(submissions / "ann" / "hw3.py"),
        "outside": str(outside),
        "out": str(out),
    }
    for name, text in hand_ins(json.dumps(world)).items():
        (submissions / name).mkdir()
        (submissions / name / "hw3.py").write_text(text)
    for fill in ARCHIVES:
        (submissions / fill.__name__).mkdir()
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
            fill(archive, outside)
        (submissions / fill.__name__ / "hw3.zip").write_bytes(made.getvalue())
    result = grade_class(submissions, out, jobs=2, progress=lambda *_: None)
    return {score.submission: score for score in result.scores}, folder


NAMES = [*hand_ins("{}"), *(fill.__name__ for fill in ARCHIVES)]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", NAMES)
def test_it_earns_nothing(graded, name):
    criteria = [c for c in graded[0][name].criteria if c.kind is Kind.CODE]
    assert criteria
    for criterion in criteria:
        assert criterion.earned in (0.0, None), (criterion.id, criterion.evidence)
        assert criterion.state in (State.FINAL, State.PENDING)


def test_the_honest_one_earns_all(graded, rubric):
    earned = {c.id: c.earned for c in graded[0]["ann"].criteria if c.kind is Kind.CODE}
    assert earned == {c.id: c.points for c in rubric.criteria if c.kind is Kind.CODE}


def test_all_else_is_as_it_was(graded):
    scores, folder = graded
    assert (folder / "outside").read_text() == "as it was"
    assert sorted(p.name for p in folder.iterdir()) == ["out", "outside", "submissions"]
    assert (folder / "submissions" / "ann" / "hw3.py").read_bytes() == HONEST.read_bytes()
    assert sorted(p.name for p in (folder / "submissions").iterdir()) == sorted(["ann", *NAMES])
    for name in hand_ins("{}"):
        assert [p.name for p in (folder / "submissions" / name).iterdir()] == ["hw3.py"]
    for name, score in scores.items():
        written = json.loads((folder / "out" / name / "score.json").read_text("utf-8"))
        assert written["total"] == score.to_json()["total"], name


def test_a_copy_of_a_solution_in_reach_would_earn_all(hand_in, rubric, launcher):
    """So what keeps `copies_the_solution` from its points is that it cannot read one."""
    world = dict.fromkeys(("solution", "neighbour", "outside", "out"), "notes.txt")
    text = hand_ins(json.dumps(world))["copies_the_solution"]
    folder = hand_in({"hw3.py": text, "notes.txt": HONEST.read_text("utf-8")})
    verdict = judge(find("hw3"), rubric, folder, [Path("hw3.py")], launcher)
    full = {c.id: c.points for c in rubric.criteria if c.kind is Kind.CODE}
    assert {id_: score.earned for id_, score in verdict.criteria.items()} == full
