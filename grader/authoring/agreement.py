"""Where a rubric and its checks disagree, as far as it can be told without a hand-in."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

from grader.assignment import Assignment
from grader.checking.cases import Check
from grader.checking.run import OF_REPORT, check_files
from grader.records import Kind
from grader.rubric import Criterion, Partial, Rubric
from grader.toml_file import Mistake, TomlFile

#: What takes the id of a [[script]] first.
_ASKING = ("program", "torchrun")


def disagreements(assignment: Assignment, rubric: Rubric, checks: Sequence[Check]) -> list[str]:
    """A line for everything to correct, with its file and line."""
    file = TomlFile.read(assignment.rubric)
    return [
        *file.told(_in_rubric(file, rubric, checks)),
        *_in_checks(rubric, checks),
        *(line for path in check_files(assignment.checks) for line in _scripts(path, rubric)),
    ]


def decided_by(criterion: str, checks: Sequence[Check]) -> Mapping[tuple[Path, str], list[Check]]:
    """The checks of a criterion by file and function: the cases of each."""
    found: dict[tuple[Path, str], list[Check]] = {}
    for check in checks:
        if check.criterion == criterion:
            found.setdefault((check.file, check.function), []).append(check)
    return found


# ------------------------------------------------------------------ in the rubric


def _in_rubric(file: TomlFile, rubric: Rubric, checks: Sequence[Check]) -> Iterator[Mistake]:
    for n, task in enumerate(rubric.tasks):
        if task.id not in {c.task for c in rubric.criteria}:
            yield file.mistake(("task", n), f"no [[criterion]] is of task {task.id!r}")
    for n, criterion in enumerate(rubric.criteria):
        checked = {check.case for check in checks if check.criterion == criterion.id}
        if criterion.kind is Kind.CODE and not checked:
            yield file.mistake(("criterion", n), _undecided(criterion))
        if criterion.cue and checked:
            text = f"a check decides {criterion.id!r}, so its cues are never looked at"
            yield file.mistake(("criterion", n, "cue"), text)
        cases = checked or {cue.case for cue in criterion.cue}
        for m, rule in enumerate(criterion.partial):
            for key, text in _of_partial(rule, cases):
                yield file.mistake(("criterion", n, "partial", m, key), text)


def _undecided(criterion: Criterion) -> str:
    return (
        f"no check decides {criterion.id!r}: write one with "
        f'@pytest.mark.criterion("{criterion.id}"), or say kind = "written" if people read it'
    )


def _of_partial(rule: Partial, cases: set[str]) -> Iterator[tuple[str, str]]:
    there = ", ".join(map(repr, sorted(cases))) or "none: there is neither a check nor a cue"
    if unknown := sorted(set(rule.cases or ()) - cases):
        yield "cases", f"no case is called {' or '.join(map(repr, unknown))}; there are {there}"
    elif rule.cases is not None and set(rule.cases) == cases:
        yield "cases", "these are all cases there are, and then all points are earned"
    if rule.passed is not None and not 0 < rule.passed < len(cases):
        text = f"expected more than 0 and fewer than all {len(cases)} cases, found {rule.passed}"
        yield "passed", text


# ------------------------------------------------------------------ in the checks


def _in_checks(rubric: Rubric, checks: Sequence[Check]) -> Iterator[str]:
    kinds = {c.id: c.kind for c in rubric.criteria}
    first = {(check.file, check.function, check.criterion): check for check in reversed(checks)}
    for check in reversed(first.values()):
        if (text := _wrong_with(check, kinds)) is not None:
            yield f"{check.file.name}, line {check.line}: {check.function}: {text}"


def _wrong_with(check: Check, kinds: Mapping[str, Kind]) -> str | None:
    of_report = check.file.name == OF_REPORT
    if check.criterion is None:
        return "it has no @pytest.mark.criterion(id), so it decides nothing"
    if check.criterion not in kinds:
        return f"rubric.toml has no criterion {check.criterion!r}{_like(check.criterion, kinds)}"
    if kinds[check.criterion] is Kind.CODE and of_report:
        return f"{check.criterion!r} is of kind 'code': students do not run what is in {OF_REPORT}"
    if kinds[check.criterion] is not Kind.CODE and not of_report:
        return f"{check.criterion!r} is read in the report: its checks belong in {OF_REPORT}"
    return None


def _like(id_: str, known: Mapping[str, object]) -> str:
    near = get_close_matches(id_, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; it has {', '.join(known) or 'none'}"


def _scripts(path: Path, rubric: Rubric) -> Iterator[str]:
    """Scripts by their ids, where a check asks for one that the rubric lacks."""
    known = {script.id: script for script in rubric.script}
    for node in ast.walk(ast.parse(path.read_bytes())):
        match node:
            case ast.Call(ast.Attribute(attr=asking), [ast.Constant(str(asked)), *_]) if (
                asking in _ASKING and asked not in known
            ):
                text = f"rubric.toml has no [[script]] {asked!r}{_like(asked, known)}"
                yield f"{path.name}, line {node.lineno}: {text}"
