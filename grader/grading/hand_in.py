"""Grades one hand-in, in a process of its own: observations, score, report.

The result is complete once `score.json` is there: it is written last, and whole.
"""

from __future__ import annotations

import traceback
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from grader import __version__, exports, intake, reports
from grader.errors import InternalError
from grader.grading import fingerprint, results
from grader.grading.answers import Reports, missing, read_reports, stands
from grader.grading.observed import Observed, read_observed
from grader.grading.run import Graded, Job, Need, Run
from grader.judge import Directions, Said, Verdict, generator, judge, rescore
from grader.judge.award import for_a_person, suggested, undecided
from grader.records import (
    CriterionScore,
    Kind,
    Outcome,
    Score,
    Submission,
    TaskTitle,
)
from grader.rubric import Criterion, Rubric
from grader.sandbox import reader

MOST_IGNORED = 20  # lines that are kept of one hand-in


def grade(run: Run, job: Job) -> Graded:
    """Grade one hand-in and write its results. Never raises for one hand-in's sake."""
    folder = run.out / job.entry.id
    ignored: list[str] = []
    try:
        observed = read_observed(folder) if job.need is Need.SCORING else None
        if observed is None:
            observed, ignored = observe(run, job)
            observed.write(folder)
        score = score_of(run, job, observed)
    except Exception:  # whatever it is, it is ours: the class goes on, no point is lost
        score = _without_verdict(run, job, traceback.format_exc())
    return _written_down(run, score, ignored)


def give_up(run: Run, job: Job, why: str) -> Graded:
    """Write the results of a hand-in that cannot be graded for a reason of ours."""
    return _written_down(run, _without_verdict(run, job, why), [])


def _written_down(run: Run, score: Score, ignored: list[str]) -> Graded:
    errors = [c.operator or c.evidence for c in score.criteria if c.outcome is Outcome.ERROR]
    fault = errors[0].strip().splitlines()[-1] if errors else None
    try:
        old = results.read(run.out, score.submission)
        score = exports.carry_decisions(old, score) if old else score
        write_score(run.out, score)
    except OSError as error:
        fault = f"results could not be written: {error}"
    return Graded(results.without_texts(score), fault, tuple(ignored))


def observe(run: Run, job: Job) -> tuple[Observed, list[str]]:
    """Open the hand-in, judge its code, read its report; and what was passed over in it."""
    if run.launcher is None:
        raise InternalError("student code was to be run without sandboxes")
    with TemporaryDirectory(dir=run.workspace, ignore_cleanup_errors=True) as scratch:
        meant = run.assignment
        submission, ignored = intake.open_entry(
            job.entry, Path(scratch), meant.name, meant.template
        )
        suspicions = intake.suspicions(submission.folder, submission.code)
        code = intake.code_text(submission.folder, submission.code)
        record, reports = None, Reports()
        pages: tuple[str, ...] = ()
        if submission.problem is None:
            copy = Path(scratch).resolve() / "copy"  # without links and junk
            intake.copy_files(submission.folder, copy)
            reports = read_reports(submission, copy, run.launcher)
            pages = results.write_pages(
                run.out / job.entry.id, reader.draw_pages(run.launcher, copy, reports.whole)
            )
            record = _judged(run, submission, copy, reports).record
    observed = Observed(
        made_from=fingerprint.observed_part(job.made_from),
        seed=run.seed,
        record=record,
        report=reports.whole,
        reports=reports.of_tasks,
        problem=submission.problem,
        notes=submission.notes,
        suspicions=suspicions,
        pages=pages,
        protections=run.protections,
        ignored=tuple(ignored[:MOST_IGNORED]),
        code=code,
    )
    return observed, ignored


def _judged(run: Run, submission: Submission, folder: Path, found: Reports) -> Verdict:
    assert run.launcher is not None
    random = generator(run.seed, submission.id)
    return judge(
        run.assignment,
        run.rubric,
        folder,
        submission.code,
        run.launcher,
        random,
        _said(submission),
        partial(found.answer, run.rubric),
    )


def _said(submission: Submission) -> Said:
    """What class.toml says about the code: about all of it, and about tasks."""
    arguments, files = submission.arguments, submission.files
    model = Directions(arguments=arguments)
    named = {
        what: Directions(file, submission.classes.get(what), arguments)
        for what, file in files.items()
        if what != intake.REPORT and intake.is_code(file)
    }
    return Said(named.pop(intake.MODEL, model), named)


def score_of(run: Run, job: Job, observed: Observed) -> Score:
    """Points and words from what was observed. Runs no code of the student's."""
    if observed.record is None:
        why = f"the hand-in could not be read: {observed.problem}"
        return _score(run, job, [undecided(c, why) for c in run.rubric.criteria], observed)
    read = partial(observed.found.answer, run.rubric)
    verdict = rescore(run.rubric, observed.record, read)
    criteria = [
        verdict.criteria[c.id]
        if c.kind is Kind.CODE
        else _written(c, run.rubric, observed.found, verdict.criteria.get(c.id))
        for c in run.rubric.criteria
    ]
    return _score(run, job, criteria, observed, verdict)


def _written(
    criterion: Criterion, rubric: Rubric, found: Reports, suggestion: CriterionScore | None
) -> CriterionScore:
    report, passage = found.find(rubric, criterion)
    if passage is None:
        heading = f"Give it a heading of its own: {', '.join(criterion.where)}."
        hint = None if report.problem else heading
        return for_a_person(criterion, None, missing(criterion, report), hint)
    if suggestion is None or suggestion.earned is None:
        score = suggestion or for_a_person(criterion, passage.text, "")
        end = "" if score.evidence.endswith(("?", ".")) else "."
        evidence = f"{score.evidence}{end} {stands(passage, criterion, report)}"
        return replace(score, evidence=evidence, found=passage.text)
    sure = suggestion if passage.exact else suggested(suggestion)
    return replace(sure, found=passage.text)


def _without_verdict(run: Run, job: Job, details: str) -> Score:
    why = "the grader failed on this hand-in; no points are lost, a person will look"
    criteria = [
        replace(undecided(c, why, details), outcome=Outcome.ERROR) for c in run.rubric.criteria
    ]
    return _score(run, job, criteria)


def _score(
    run: Run,
    job: Job,
    criteria: list[CriterionScore],
    observed: Observed | None = None,
    verdict: Verdict | None = None,
) -> Score:
    entry = job.entry
    late = intake.lateness(entry, run.settings)
    excused = run.settings.excused.get(entry.id)
    return Score(
        submission=entry.id,
        student=entry.student,
        assignment=run.assignment.name,
        title=run.rubric.title,
        tasks=tuple(TaskTitle(t.id, t.title) for t in run.rubric.tasks),
        grader=__version__,
        devices="virtual",
        seed=observed.seed if observed else run.seed,
        graded_at=datetime.now(UTC).isoformat(timespec="seconds"),
        criteria=tuple(intake.with_overrides(criteria, entry.id, run.settings)),
        observations=verdict.observations if verdict else (),
        late=late.said if late else None,
        late_share=0.0 if excused else run.share_lost(late),
        excused=excused,
        problem=observed.problem if observed else None,
        notes=(
            *entry.notes,
            *(observed.notes if observed else ()),
            *(verdict.notes if verdict else ()),
            *_late_notes(run, late, excused),
        ),
        suspicions=observed.suspicions if observed else (),
        pages=observed.pages if observed else (),
        ignored=observed.ignored if observed else (),
        made_from=job.made_from,
        protections=observed.protections if observed else {},
    )


def _late_notes(run: Run, late: intake.Lateness | None, excused: str | None) -> list[str]:
    if run.rubric.late and late and late.seconds is None and not excused:
        return ["it is not known how late this was; nothing was taken off for it"]
    return []


def write_score(out: Path, score: Score) -> None:
    """Write `<id>/report.pdf`, then `<id>/score.json`."""
    reports.write_report(score, out / score.submission / "report.pdf")
    results.write(out, score)
