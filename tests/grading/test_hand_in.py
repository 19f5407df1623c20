"""One hand-in: a fault of ours takes no points, and points follow from what was observed."""

from dataclasses import replace
from datetime import UTC, datetime

import attrs
import pytest
from quick_grading import record_of

from grader import intake
from grader.assignment import find
from grader.errors import InternalError
from grader.grading import fingerprint, hand_in, results
from grader.grading.hand_in import grade
from grader.grading.observed import Observed, read_observed
from grader.grading.run import Job, Need, Run
from grader.records import Kind, Outcome, Report, State, Student
from grader.rubric import Late, load_rubric


class NoWorkers:
    def launch(self, folder, options):
        raise InternalError("no worker today")


@pytest.fixture
def run(tmp_path):
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    settings = intake.ClassSettings()
    shared = fingerprint.of_run(find("hw3"), load_rubric(find("hw3")))
    return Run(
        find("hw3"),
        load_rubric(find("hw3")),
        settings,
        tmp_path / "out",
        "a seed",
        workspace,
        shared,
        NoWorkers(),
    )


@pytest.fixture
def job(tmp_path, run):
    folder = tmp_path / "class" / "ann"
    folder.mkdir(parents=True)
    (folder / "hw3.py").write_text("class LargeLinearModelMP: ...\n")
    entry = intake.Entry("ann", Student("ann", "Ann"), folder)
    return Job(entry, fingerprint.of_entry(run, entry), Need.RUNNING)


@pytest.mark.parametrize(
    ("launcher", "fault"), [(NoWorkers(), "no worker today"), (None, "without sandboxes")]
)
def test_a_fault_of_ours_takes_no_points_and_calls_a_person(run, job, launcher, fault):
    graded = grade(replace(run, launcher=launcher), job)
    assert fault in graded.fault
    score = results.read(run.out, "ann")
    assert {c.state for c in score.criteria} == {State.PENDING}
    assert {c.outcome for c in score.criteria if c.kind is Kind.CODE} == {Outcome.ERROR}
    assert fault not in (run.out / "ann" / "report.pdf").read_text("latin-1")
    assert not list(run.workspace.iterdir())


def test_results_that_cannot_be_written_are_our_fault(run, job):
    run.out.mkdir()
    (run.out / "ann").write_text("a file stands where the folder should be")
    assert "results could not be written" in grade(run, job).fault


# ---------------------------------------------------------------------- points moved later


@pytest.fixture
def observed(run, job):
    record = record_of(
        {
            ("t3.even", "20/2"): "passed",
            ("t3.even", "20/5"): "failed",
            ("t3.detect", "2"): "passed",
            ("t4.run", "2"): "passed",
        },
        notes=["pinned"],
    )
    report = Report("r.pdf", ("Task 1\nQ1\n3 and 3\n",))
    made_from = fingerprint.observed_part(job.made_from)
    stored = Observed(made_from, "an earlier seed", record, report, notes=("2 PDF files",))
    stored.write(run.out / "ann")
    return stored


def test_what_was_observed_comes_back_from_disk(run, observed):
    assert read_observed(run.out / "ann") == observed
    assert read_observed(run.out / "ben") is None
    (run.out / "ann/observed.json").write_text('{"schema": 0}')
    assert read_observed(run.out / "ann") is None


def test_points_move_without_running_anything(run, job, observed):
    job = replace(job, need=Need.SCORING)
    assert grade(run, job).fault is None
    before = results.read(run.out, "ann")
    assert (before.seed, before.notes) == ("an earlier seed", ("2 PDF files", "pinned"))
    the_rubric = load_rubric(find("hw3"))
    moved = [attrs.evolve(c, points=3.0) if c.id == "t3.detect" else c for c in the_rubric.criteria]
    changed = attrs.evolve(the_rubric, criterion=moved)
    assert grade(replace(run, rubric=changed), job).fault is None
    after = results.read(run.out, "ann")
    assert after.possible == before.possible + 2
    assert after.total == before.total + 2


def test_a_persons_decision_survives_where_its_points_did_not_move(run, job, observed):
    job = replace(job, need=Need.SCORING)
    grade(run, job)
    score = results.read(run.out, "ann")
    decided = [
        c.decided(1.0, "nearly") if c.id in ("t1.q1", "t1.q2") else c for c in score.criteria
    ]
    results.write(run.out, replace(score, criteria=tuple(decided)))
    the_rubric = load_rubric(find("hw3"))
    moved = [attrs.evolve(c, points=2.0) if c.id == "t1.q2" else c for c in the_rubric.criteria]
    changed = attrs.evolve(the_rubric, criterion=moved)
    grade(replace(run, rubric=changed), job)
    kept, moved = results.read(run.out, "ann").criteria[:2]
    assert (kept.earned, kept.comment, kept.found) == (1.0, "nearly", "Q1\n3 and 3")
    assert (moved.earned, moved.earlier) == (None, "1 of 1.5 points: nearly")


@pytest.mark.parametrize(
    ("decisive", "earned", "page", "state"),
    [
        (True, 1.5, "Task 1\nQ1\n3 and 3\n", State.FINAL),
        (False, 1.5, "Task 1\nQ1\n3 and 3\n", State.PROVISIONAL),
        (True, 0.0, "Task 1\nQ1\n2 layers on GPU 0, 4 layers on GPU 1\n", State.PROVISIONAL),
        (True, 1.5, "Task 1\n3 and 3\n", State.PROVISIONAL),  # perhaps another's answer
    ],
)
def test_what_decisive_cues_say_is_final_where_it_earns_all(
    run, job, observed, decisive, earned, page, state
):
    replace(observed, report=Report("r.pdf", (page,))).write(run.out / "ann")
    [first, *others] = load_rubric(find("hw3")).criteria
    cues = [attrs.evolve(cue, decisive=decisive) for cue in first.cue]
    rubric = attrs.evolve(run.rubric, criterion=[attrs.evolve(first, cue=cues), *others])
    assert grade(replace(run, rubric=rubric), replace(job, need=Need.SCORING)).fault is None
    score = results.read(run.out, "ann").criteria[0]
    assert (score.state, score.earned) == (state, earned)


def test_other_cues_say_something_else_of_the_same_answer(run, job, observed):
    [first, *others] = load_rubric(find("hw3")).criteria
    said = []
    for phrases in (["3 and 3"], ["4 and 2"]):
        cue = attrs.evolve(first.cue[0], any=phrases, never=["3 and 3"][: phrases == ["4 and 2"]])
        rubric = attrs.evolve(run.rubric, criterion=[attrs.evolve(first, cue=[cue]), *others])
        grade(replace(run, rubric=rubric), replace(job, need=Need.SCORING))
        said.append(results.read(run.out, "ann").criteria[0].earned)
    assert said == [1.5, 0.0]


def test_the_score_is_written_last(run, job, observed, monkeypatch):
    def killed(score, path):
        raise KeyboardInterrupt

    monkeypatch.setattr(hand_in.reports, "write_report", killed)
    with pytest.raises(KeyboardInterrupt):
        grade(run, replace(job, need=Need.SCORING))
    assert not (run.out / "ann/score.json").exists()


def test_scores_for_tables_have_the_points_without_the_texts(run, job, observed):
    slim = grade(run, replace(job, need=Need.SCORING)).score
    whole = results.read(run.out, "ann")
    assert (slim.total, slim.possible, slim.pending) == (whole.total, whole.possible, whole.pending)
    assert not any(c.evidence or c.question or c.found for c in slim.criteria)
    assert all(c.evidence for c in whole.criteria)


# ---------------------------------------------------------------------- late


@pytest.mark.parametrize(
    ("settings", "marked", "lost", "excused"),
    [
        ({}, False, 0.0, None),
        ({"deadline": datetime(2020, 1, 1, tzinfo=UTC)}, False, 1.0, None),
        (
            {
                "deadline": datetime(2020, 1, 1, tzinfo=UTC),
                "overrides": {"ann": intake.Override(excused="was ill")},
            },
            False,
            0.0,
            "was ill",
        ),
        ({}, True, 0.0, None),
    ],
)
def test_being_late_costs_what_the_rubric_says(run, job, observed, settings, marked, lost, excused):
    """Where it is known by how much, and nobody is excused."""
    policy = attrs.evolve(load_rubric(find("hw3")), late=Late(per_day=0.1, at_most=0.5))
    late_run = replace(run, rubric=policy, settings=intake.ClassSettings(**settings))
    entry = replace(job.entry, late=marked)
    graded = grade(late_run, Job(entry, job.made_from, Need.SCORING))
    assert graded.fault is None
    score = results.read(run.out, "ann")
    before = sum(c.earned for c in score.criteria if c.state is State.FINAL)
    assert before == 2.0
    assert (score.late_points, score.total, score.excused) == (lost, before - lost, excused)
    assert (score.late is not None) == (marked or "deadline" in settings)
    unknown = "it is not known how late this was; nothing was taken off for it"
    assert (unknown in score.notes) == marked


def test_an_excuse_changes_the_hash_of_what_the_class_says(run, job):
    excused = intake.ClassSettings(overrides={"ann": intake.Override(excused="was ill")})
    then = fingerprint.of_entry(replace(run, settings=excused), job.entry)
    assert {k for k in then if then[k] != job.made_from[k]} == {"class"}
    named = replace(job.entry, files={"model": "hw3.py"})
    then = fingerprint.of_entry(run, named)
    assert {k for k in then if then[k] != job.made_from[k]} == {"directions"}
    built = replace(job.entry, arguments={"hidden": 64})
    then = fingerprint.of_entry(run, built)
    assert {k for k in then if then[k] != job.made_from[k]} == {"directions"}
    assert "directions" in fingerprint.observed_part(then)
