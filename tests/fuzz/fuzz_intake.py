"""Grades classes that were damaged at random: every hand-in ends with an answer, and soon.

    python tests/fuzz/fuzz_intake.py 20000

Archives of all kinds and archives in them, notebooks, scripts, names of files, folders as they
were downloaded, class.toml and rosters. `grade` takes each class as it takes any other, from its
command line to its tables, but for what happens in sandboxes: there is no judge, and no report is
read (`fuzz_reports.py` does that). All is well if each class is graded or refused in a few clear
lines, its honest hand-in is read, and nothing was written elsewhere or left behind.

Each batch is tried by a process with limits; what goes wrong is told with the number of its
input, which `--only NUMBER` tries again. The same seed makes the same inputs.
"""

from __future__ import annotations

import functools
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NoReturn

import batches
from odd_classes import NEIGHBOUR, Maker, OddClass

LONGEST_LINE = 500  # characters
MODEL_MEMORY = 600 << 20  # bytes, for what a worker does
MOST_LINES = 60  # of what is said about a class as a whole
_EXCEPTION = re.compile(r"\b[A-Z]\w*(?:Error|Exception|Interrupt)\b|\bTraceback\b")


class Unwell(Exception):
    """Something that must not be is."""


# ---------------------------------------------------------------------- grading without sandboxes


def stand_in() -> None:
    """Everything is real but what student code would run in."""
    from grader import terminal
    from grader.assignment import find
    from grader.grading import classes, fingerprint, hand_in
    from grader.grading.answers import Reports
    from grader.intake import class_archive, gathering
    from grader.records import Report

    sys.path.insert(0, str(Path(__file__).parents[1] / "grading"))
    from quick_grading import sandboxes

    hw3 = find("hw3")
    made_from = fingerprint.of_run(hw3, classes.load_rubric(hw3))
    patched: list[tuple[Any, dict[str, Any]]] = [
        (terminal, {"progress_bar": lambda: nullcontext(lambda *_: None)}),
        (fingerprint, {"of_run": lambda *_: made_from}),
        (gathering, {"unpack": _measured(gathering.unpack)}),
        (class_archive, {"unpack": _measured(class_archive.unpack)}),
        (hand_in, {"judge": _look_for_models, "_without_verdict": _raise_again}),
        (hand_in, {"read_reports": lambda *_: Reports(Report(problem="not read here"))}),
        (
            classes,
            {
                "load_rubric": functools.cache(classes.load_rubric),
                "sandboxes": sandboxes,
                "Pool": _InThisProcess,
            },
        ),
    ]
    for module, names in patched:
        for name, value in names.items():
            assert hasattr(module, name), name
            setattr(module, name, value)


def _raise_again(*_: object) -> NoReturn:
    raise  # noqa: PLE0704 - what is being handled: a fault of ours


class _InThisProcess:
    """In the place of a pool of processes."""

    doing = ()

    def __init__(self, *_: object) -> None:
        pass

    def __enter__(self) -> _InThisProcess:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def close(self) -> None:
        pass

    def results(self, task: Any, work: Iterable[Any], _: object) -> Iterator[tuple[Any, Any]]:
        for item in work:
            yield item, task(item)


def _look_for_models(_: str, rubric: Any, folder: Path, code: Any, *__: object) -> Any:
    """In the place of the judge: what a worker does before it runs anything."""
    import attrs
    from quick_grading import record_of

    from grader.memory_bound import memory_bound
    from grader.sandbox.faults import ImportFault, InterfaceGap
    from grader.sandbox.model_search import find_models
    from grader.sandbox.source import Vocabulary

    words = Vocabulary.from_json(attrs.asdict(rubric.model) | {"only": None, "given": {}})
    outcome = "passed"
    with batches.spared():  # until the errors are gone, which hold what they came from
        try:
            with memory_bound(MODEL_MEMORY):
                find_models(folder, code, words)
        except (RecursionError, MemoryError):  # which a worker tells
            outcome = "failed"
        except (ImportFault, InterfaceGap) as found:
            refuse_unclear(str(found), said_by_python=True)
            outcome = "failed"
    decided = [c for c in rubric.criteria if c.kind == "code"]
    cases = [(c.id, case) for c in decided for rule in c.partial for case in rule.cases or ()]
    cases += [(c.id, "one") for c in decided]
    record = record_of(dict.fromkeys(cases, outcome)) | {"criteria": [c.id for c in decided]}

    class Verdict:
        pass

    verdict = Verdict()
    verdict.record = record if code else record | {"tries": []}
    return verdict


def _measured(unpack: Callable[..., Any]) -> Callable[..., Any]:
    """The same, and what it wrote is within the limits and nowhere else, however it ended."""
    from grader.intake.budget import MAX_RATIO, RATIO_FROM, Budget

    def measured(archive: Path, target: Path, budget: Budget, *more: Any) -> Any:
        around = {*target.parent.iterdir(), target}
        try:
            return unpack(archive, target, budget, *more)
        finally:
            if beside := {*target.parent.iterdir()} - around:
                raise Unwell(f"unpacked beside its folder: {beside}")
            files = [path for path in target.rglob("*") if path.is_file()]
            size = sum(path.stat().st_size for path in files)
            most = min(budget.most_bytes, max(RATIO_FROM, MAX_RATIO * budget.packed))
            if size > most or len(files) > budget.most_files:
                raise Unwell(f"{size} bytes in {len(files)} files came out, more than {most}")

    return measured


# ---------------------------------------------------------------------- what must hold


def refuse_unclear(text: str, longest: int = LONGEST_LINE, said_by_python: bool = False) -> None:
    """Every line is short, can be shown, and is no traceback."""
    lines = text.split("\n")
    if len(lines) > MOST_LINES:
        raise Unwell(f"{len(lines)} lines: {lines[0][:100]!r}")
    for line in lines:
        odd = [char for char in line if _is_unseen(char)]
        if odd or len(line) > longest or not line.strip():
            raise Unwell(f"not clear: {len(line)} characters, {odd[:5]!r} in {line[:300]!r}")
    if not said_by_python and (found := _EXCEPTION.search(text)):
        raise Unwell(f"{found[0]!r} is said: {text[:300]!r}")


def _is_unseen(char: str) -> bool:
    """Control characters, halves of pairs, line ends, and what turns the direction of a line."""
    return (
        unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"}
        or "\u202a" <= char <= "\u202e"
        or "\u2066" <= char <= "\u2069"
    )


def _check_results(out: Path, made: OddClass) -> bool:
    """Whether all hand-ins were read."""
    scores = {
        file.parent.name: json.loads(file.read_text("utf-8")) for file in out.glob("*/score.json")
    }
    tables = {"gradebook.csv", "review.csv", "similar.csv", "similar.json"}
    known = {*scores, *tables, "class.pdf", "class.json", ".lock"}
    if extra := {path.name for path in out.iterdir()} - known:
        raise Unwell(f"among the results: {sorted(extra)}")
    if not scores:
        raise Unwell("no results")
    for score in scores.values():
        if score["problem"] is not None:
            refuse_unclear(score["problem"])
            if "; " not in score["problem"]:
                raise Unwell(f"says not what to do: {score['problem']!r}")
        for line in (*score["notes"], *score["suspicions"]):
            refuse_unclear(line, 2000)
        for criterion in score["criteria"]:
            if criterion["outcome"] == "error":
                raise Unwell(f"a fault of ours: {criterion}")
    if made.archive is None and (found := scores.get(NEIGHBOUR)):
        points = {c["earned"] for c in found["criteria"] if c["kind"] == "code" and c["points"]}
        if found["problem"] or 0.0 in points:
            raise Unwell(f"the honest hand-in suffers: {found['problem']}")
    elif made.archive is None and not made.may_be_refused:
        raise Unwell("the honest hand-in is missing")
    return all(score["problem"] is None for score in scores.values())


def _listing(top: Path, but: Iterable[Path]) -> dict[str, tuple[int, int]]:
    """All that is in a folder, with sizes and times."""
    found = {}
    for here, folders, files in os.walk(top):
        folders[:] = [name for name in folders if Path(here, name) not in but]
        if here.count("/") > 100:
            folders[:] = []
        for name in (*folders, *files):
            seen = Path(here, name).lstat()
            found[f"{here}/{name}"] = (seen.st_size, seen.st_mtime_ns)
    return found


# ---------------------------------------------------------------------- trying


@contextmanager
def trying(seed: int) -> Iterator[tuple[Callable[[int], OddClass], Callable[[OddClass], bool]]]:
    """See `batches`."""
    stand_in()
    with tempfile.TemporaryDirectory() as scratch:
        maker = Maker(seed, Path(scratch))
        own = Path(scratch, "w")

        def attempt(made: OddClass) -> bool:
            own.mkdir()
            before, tempfile.tempdir = tempfile.tempdir, None
            try:
                return _one(made, own)
            finally:
                tempfile.tempdir = before
                subprocess.run(["rm", "-rf", own], check=True)  # as deep as it may be

        yield maker.made, attempt


def _one(made: OddClass, own: Path) -> bool:
    """A class in a small world, with things around it that must stay as they are."""
    place, tmp, out = own / "a/b/c/d", own / "a/b/c/tmp", own / "a/b/c/d/out"
    for folder in (place, tmp):
        folder.mkdir(parents=True)
        (folder.parent / "canary").write_text("as it was")
    (place / "canary").write_text("as it was")
    what = made.put(place)
    before = _listing(own, (tmp, out))
    tempfile.tempdir = str(tmp)
    status, told, errors = graded(what, out, made.is_drawn)
    if left := list(tmp.iterdir()):
        raise Unwell(f"left behind: {left}")
    after = _listing(own, (tmp, out))
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    changed -= {str(place), str(tmp)}
    if changed:
        raise Unwell(f"changed outside: {sorted(changed)[:5]}")
    if status == 2 and made.may_be_refused:
        refuse_unclear(errors.rstrip("\n"))
        return False
    if status != 0:
        raise Unwell(f"status {status}: {errors[-600:]!r}")
    for line in told.rstrip("\n").split("\n"):
        refuse_unclear(line.strip() or "-", 5000)  # a row of a table may be blank
    if told.count("\nignored: ") > 500:
        raise Unwell(f"{told.count('ignored: ')} lines on what was ignored")
    return _check_results(out, made)


def graded(what: Path, out: Path, drawn: bool) -> tuple[object, str, str]:
    """`grade WHAT --out OUT`: its status, and what it prints as UTF-8."""
    from grader import cli, reports
    from grader.reports.pdf import write_report

    reports.write_report = write_report if drawn else _not_drawn
    told, errors = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    status: object = None
    with redirect_stdout(told), redirect_stderr(errors):
        try:
            cli.main([str(what), "--out", str(out), "--jobs", "1"])
        except SystemExit as ended:
            status = ended.code or 0
    said = [stream.buffer.getvalue().decode() for stream in (told, errors)]  # type: ignore[attr-defined]
    return status, *said


def _not_drawn(_: object, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"%PDF")


if __name__ == "__main__":
    batches.main(__file__, __doc__, trying)
