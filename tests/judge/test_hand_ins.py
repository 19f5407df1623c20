"""Hand-ins get the points that their files say; the wrong ones by `grade check-assignment`."""

from __future__ import annotations

import shutil
import tomllib
from dataclasses import asdict
from pathlib import Path

import pytest
from lost_points import unexplained

from grader.assignment import find
from grader.judge import judge
from grader.records import Kind, Outcome, State

SUBMISSIONS = Path(__file__).parents[1] / "submissions"


def folders(*kinds):
    found = [path for kind in kinds for path in sorted((SUBMISSIONS / kind).iterdir())]
    assert found
    return [pytest.param(path, id=f"{path.parent.name}-{path.name}") for path in found]


def judged(path, tmp_path, rubric, launcher):
    folder = tmp_path.resolve() / "hand-in"
    shutil.copytree(path, folder)
    files = [
        f.relative_to(folder) for f in sorted(folder.rglob("*")) if f.suffix in (".py", ".ipynb")
    ]
    return judge(find("hw3"), rubric, folder, files, launcher)


def expected(path, rubric):
    """Points by criterion; None for those that a person must decide."""
    says = path / "loses.toml"
    told = tomllib.loads(says.read_text("utf-8")) if says.exists() else {}
    full = {c.id: c.points for c in rubric.criteria if c.kind is Kind.CODE}
    return full | told.get("earned", {}) | dict.fromkeys(told.get("pending", []))


@pytest.mark.parametrize("path", folders("right", "forged", "pending"))
def test_a_hand_in_earns_what_its_file_says(path, tmp_path, rubric, launcher):
    verdict = judged(path, tmp_path, rubric, launcher)
    earned = {id_: score.earned for id_, score in verdict.criteria.items()}
    told = {id_: (s.evidence, s.operator) for id_, s in verdict.criteria.items()}
    assert earned == expected(path, rubric), told
    for score in verdict.criteria.values():
        assert score.outcome is not Outcome.ERROR
        assert score.state is (State.PENDING if score.earned is None else State.FINAL)
        assert score.evidence
    assert not unexplained(map(asdict, verdict.criteria.values()), path)


@pytest.mark.parametrize("name", ["count_at_import", "stage_per_gpu", "functional_relu"])
def test_neighbours_together_need_one_transfer_less_than_gpus(name, tmp_path, rubric, launcher):
    assert transfers(name, tmp_path, rubric, launcher) == {2: 1, 5: 4}


@pytest.mark.parametrize("name", ["round_robin", "round_robin_in_lists"])
def test_layers_in_turns_need_a_transfer_for_each_but_the_first(name, tmp_path, rubric, launcher):
    assert transfers(name, tmp_path, rubric, launcher) == {2: 19, 5: 19}


def transfers(name, tmp_path, rubric, launcher):
    verdict = judged(SUBMISSIONS / "right" / name, tmp_path, rubric, launcher)
    seen = [o for o in verdict.observations if o["probe"] == "forward" and o["depth"] == 20]
    for observation in seen:
        assert observation["transfers"]["host_to_gpu"] == 0  # the input is on cuda:0 already
    return {o["gpus"]: o["transfers"]["gpu_to_gpu"] for o in seen}


def test_no_python_at_all_is_zero_and_final(rubric, launcher, tmp_path):
    verdict = judge(find("hw3"), rubric, tmp_path, [], launcher)
    assert [s.earned for s in verdict.criteria.values()] == [0.0] * 3
    assert {s.state for s in verdict.criteria.values()} == {State.FINAL}
    assert {s.outcome for s in verdict.criteria.values()} == {Outcome.BLOCKED}


def test_a_pin_of_visible_devices_is_reported(rubric, launcher, tmp_path):
    verdict = judged(SUBMISSIONS / "right/pinned_visible_devices", tmp_path, rubric, launcher)
    assert any("CUDA_VISIBLE_DEVICES" in note for note in verdict.notes)
