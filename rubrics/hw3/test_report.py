"""The report: tables, and answers that must be true of the student's own code.

What these say is a suggestion; a person confirms it.
"""

import re

import pytest

from grader.checking.expect import NeedsPerson, expect
from grader.checking.observations import ProbeFailed
from grader.checking.phrases import plain, sentences

SECONDS = (1e-5, 300)  # a step takes no less and no more, on any machine
DEEPER, FEWER = 1.2, 0.9  # a deeper model takes at least so much longer; a share of memory falls so

# ------------------------------------------------------------------ task 2


@pytest.mark.criterion("t2.table")
def test_three_depths_with_times_that_grow(submission):
    answer = submission.answer("t2.table")
    rows = sorted(
        {
            (depth, time): None
            for table in answer.tables
            for row in table.rows()
            if (depth := number(row.get("depth"))) and (time := seconds(row.get("time")))
        }
    )
    if not rows:
        raise NeedsPerson("no table with depths and times could be read")
    told = ", ".join(f"depth {depth:g}: {time * 1000:g} ms" for depth, time in rows)
    where = answer.row(answer.tables[0])
    depths = {depth for depth, _ in rows}
    expect(
        len(depths) >= 3,
        expected="times for at least three depths",
        seen=told,
        where=where,
        hint="A row for each DEPTH that the task names, with the time of one step.",
    )
    expect(
        all(SECONDS[0] <= time <= SECONDS[1] for _, time in rows),
        expected="step times that a GPU can have",
        seen=told,
        where=where,
        hint="Check the unit of the times.",
    )
    expect(
        rows[-1][1] > DEEPER * rows[0][1],
        expected="times that grow with the depth",
        seen=told,
        where=where,
        hint="Call torch.cuda.synchronize() before the clock is read.",
    )


# ------------------------------------------------------------------ task 3

COMPUTED = (
    *("divi*", "//", "rounded", "integer part", "whole number", "remainder", "divmod", "quotient"),
    *("array_split", "tensor_split", "chunk*", "split*", "pieces", "cut*", "blocks", "consecutive"),
    *("contiguous", "round robin", "% *", "modulo", "depth / ", "i *", "g *", "jaga*", "ümarda*"),
    *("per gpu", "layers_per_gpu", "each gpu gets", "every gpu gets", "gets .. layers"),
)
IN_TURNS = (
    "round robin",
    "like .. cards",
    "(starts|start|begins) again",
    "alternat*",
    "kordamööda",
)
CLAIMS_ALL = (
    "all .. (gpus|cards|devices)",
    "(every|each) (gpu|card|device)",
    "evenly",
    "automatically",
)


@pytest.mark.criterion("t3.explain")
def test_the_formula_is_explained_and_true_of_the_code(submission):
    answer = submission.answer("t3.explain")
    expect(
        answer.words >= 8,
        expected="words on how the GPU of a layer is calculated",
        seen="" if answer.words >= 8 else "code without an explanation",
        where=answer.begins,
        hint="Say in a sentence or two which layers each GPU gets, and why.",
    )
    runs = [ran(submission, depth, gpus) for depth, gpus in [(20, 5), (7, 3)]]
    if any(run.script for run in runs):
        raise NeedsPerson("the script moves the layers once more; is the explanation true of that?")
    uses_all = all(set(run.placement) == set(range(run.gpus)) for run in runs)
    claim = answer.says(*CLAIMS_ALL)
    if not uses_all and claim is None:
        raise NeedsPerson("the code does not use all GPUs; is this how it is explained?")
    expect(
        uses_all,
        expected="an explanation that is true of the code",
        seen="" if uses_all else "code that does not use all GPUs, and an answer that it does",
        where=None if uses_all else f"{answer.quoted(claim)}; {runs[0].placed_at}",
        hint="Explain what your code does; print the device of each layer to see it.",
    )
    blocks = all(run.placement == sorted(run.placement) for run in runs)
    turns = answer.says(*IN_TURNS)
    if blocks and turns:
        expect(
            False,
            expected="an explanation of the blocks of neighbours that the code makes",
            seen="layers in turns",
            where=answer.quoted(turns),
            hint="Explain what your code does; print the device of each layer to see it.",
        )
    found = answer.says(*COMPUTED)
    if found is None:
        raise NeedsPerson("nothing in it is in words that we look for; is it a right explanation?")
    expect(True, expected="how the GPU of a layer is calculated", seen=answer.quoted(found))


# ------------------------------------------------------------------ task 4


@pytest.mark.criterion("t4.table")
@pytest.mark.parametrize(
    ("part", "gpus"),
    [
        pytest.param(part, gpus, id=f"{part} with {gpus} GPUs")
        for part in ("time", "memory")
        for gpus in (2, 5)
    ],
)
def test_time_and_memory(submission, part, gpus):
    answer = submission.answer("t4.table")
    unit = "seconds" if part == "time" else "bytes"
    seen = {n: list(measured(answer, n, part, unit)) for n in (2, 5)}
    if not any(measured(answer, n, kind, u) for n in (2, 5) for kind, u in UNITS):
        raise NeedsPerson("no table with times and memory could be read")
    if not seen[gpus] and any(map(is_doubtful, answer.tables)):
        raise NeedsPerson("part of the table could not be read")
    expect(
        bool(seen[gpus]),
        expected=f"{part} for {gpus} GPUs",
        seen=shown(seen[gpus], part),
        where=answer.row(answer.tables[0]),
        hint="One row for each configuration: step time, and the memory of each GPU.",
    )
    if part == "memory" and gpus == 5 and seen[2] and not labelled_as_total(answer):
        expect(
            max(seen[5]) < FEWER * max(seen[2]),
            expected="memory per GPU that falls from 2 to 5 GPUs, or a total that is called so",
            seen=f"{shown(seen[2], part)} with 2 GPUs, {shown(seen[5], part)} with 5",
            where=answer.row(answer.tables[0]),
            hint="How many of 20 layers does each of 2 GPUs hold, and each of 5? Print "
            "torch.cuda.max_memory_allocated(gpu) for every GPU.",
        )


UNITS = (("time", "seconds"), ("memory", "bytes"))


def is_doubtful(table):
    """Whether it has no heads, or a row in one piece."""
    first = table.columns[0]
    return not any(c.label for c in table.columns) or any(
        len(c.quantities) > 3 for c in first.cells
    )


def shown(values, part):
    """Times in ms and memory in MB; plain numbers, as they may be, stay."""
    scale, unit = (1e3, "ms") if part == "time" else (1e-6, "MB")
    if part == "memory" and max(values, default=0) < 1e5:
        scale, unit = 1, "(no unit)"
    return f"{', '.join(f'{v * scale:.4g}' for v in values)} {unit}" if values else "none"


def measured(answer, gpus, kind, unit):
    """The values of a kind in the rows of so many GPUs; those of a table without heads by units."""
    found = []
    for table in answer.tables:
        counts = table.column("gpus")
        columns = [column for column in table.columns if column.kind == kind]
        if counts is None:
            counts, columns = table.columns[0], table.columns[1:]
        for n, cell in enumerate(counts.cells):
            if count_in(cell) == gpus:
                cells = [column.cells[n] for column in columns]
                found += [value(q, unit, kind, columns) for c in cells for q in c.quantities]
    return [one for one in found if one]


def value(quantity, unit, kind, columns):
    """A quantity in the unit; a plain number only in a column that says what it is."""
    known = getattr(quantity, unit)
    if known is None and quantity.unit is None and any(c.kind == kind for c in columns):
        return quantity.value
    return known


def count_in(cell):
    return next((int(q.value) for q in cell.quantities if q.unit in (None, "gpus")), None)


def labelled_as_total(answer):
    labels = " ".join(c.label for t in answer.tables for c in t.columns if c.kind == "memory")
    return bool(re.search(r"total|sum\b|sum of|all gpus|altogether|kokku", labels, re.IGNORECASE))


# ------------------------------------------------------------------ task 5

HOST = ("cpu*", "host*", "first .. input", "protsessor*")


@pytest.mark.criterion("t5.counts")
@pytest.mark.parametrize("gpus", [2, 5], ids=["2 GPUs", "5 GPUs"])
def test_transfers_are_those_of_the_code(submission, gpus):
    answer = submission.answer("t5.counts")
    said, where = transfers_in(answer, gpus)
    run = ran(submission, 20, gpus)
    between, calls = run.trace.gpu_to_gpu(), run.trace.calls_of_to()
    copies = "1 copy" if between == 1 else f"{between} copies"
    ways = {
        between: f"{copies} between GPUs",
        calls: f"{calls} calls of .to()",
    }
    script = submission.run_script(depth=20, gpus=5)
    host = max((way.host_to_gpu for way in script.trace.ways().values()), default=0)
    if host or answer.finds(*HOST):
        ways.setdefault(between + 1, f"{copies} between GPUs and one from the host")
    expect(
        said in ways,
        expected=" or ".join(ways.values()) + f" in a forward pass of this code on {gpus} GPUs",
        seen=f"{said:g} in the report",
        where="; ".join(filter(None, (where, run.copied_at))),
        hint="Count in forward() how often x.to() really changes the device.",
    )


def transfers_in(answer, gpus):
    """The number that the report gives for so many GPUs, and where."""
    for table in answer.tables:
        for row in table.rows():
            cells = row.get("gpus"), row.get("transfers")
            if all(cells) and count_in(cells[0]) == gpus and cells[1].quantities:
                return cells[1].quantities[0].value, answer.row(table, *(c.text for c in cells))
    device = r"(?:gpu|card|kaar|device|seadme)\S*"
    pattern = re.compile(
        rf"(?<!\S){gpus} (?:x )?{device}(?: - \S+)?"  # "2 GPUs", "2 GPU-ga"
        rf"(?: (?!(?:\d+ )?{device}|\d)\S+){{0,7}}? (\d+)(?! {device})(?!\S)"
    )
    for text in [*answer.text.split("\n"), *sentences(answer.text)]:
        found = pattern.search(plain(text))
        if found:
            return int(found[1]), answer.quoted(text)
    raise NeedsPerson(f"no number of transfers with {gpus} GPUs was found")


GROWS = (
    *("grow*", "increas*", "linear*", "proportional*", "more (communication|transfers|copies)"),
    *("more (times|sending|handovers|hand - overs)", "more .. (sent|lost|copied)"),
    *("(overhead|communication|cost|traffic) .. (bigger|larger|higher|expensive|rises)",),
    *("(bigger|larger|higher) .. (overhead|communication|cost)", "costs some time", "goes up"),
    *("kasva*", "suurem*", "suurene*", "- 1 (transfers|transfer|copies)"),
)
FALLS = (
    *("(goes|gets|becomes|is) .. (down|smaller|lower|less)", "decreas*", "smaller with more"),
    *("less .. communication", "shrink*", "vähene*", "väiksem*"),
)
BY_ONE = (
    *("- 1", "minus (one|1)", "miinus (üks|1)", "linear*", "lineaar*", "proportional*"),
    *(
        "one (more|border|boundary|transfer|copy) (per|for each)",
        "(every|each) (added|additional) gpu",
    ),
)
SAME = (
    *("not depend*", "independent*", "always", "constant", "no matter", "whatever", "the same"),
    *("ei sõltu", "depth - 1", "sama"),
)


@pytest.mark.criterion("t5.relation")
@pytest.mark.parametrize("part", ["direction", "how"])
def test_how_communication_grows(submission, part):
    answer = submission.answer("t5.relation")
    in_turns = ran(submission, 20, 5).trace.gpu_to_gpu() > 10  # blocks need 4, turns 19
    if in_turns and answer.says(*SAME):
        expect(
            True,
            expected="as many transfers whatever the number of GPUs",
            seen=answer.quoted(answer.says(*SAME)),
        )
        return
    wanted, asked = (
        (GROWS, "an answer to “What becomes of communication with more GPUs?”")
        if part == "direction"
        else (BY_ONE, "an answer to “By how much, for each GPU that is added?”")
    )
    said, against = answer.says(*wanted), answer.says(*FALLS)
    if said and against and said.sentence != against.sentence:
        raise NeedsPerson(f"it says {answer.quoted(said)}, and {answer.quoted(against)}")
    if not (said or against or answer.says(*GROWS)):
        raise NeedsPerson("nothing in it is in words that we look for")
    seen = "that it shrinks" if against else "nothing on it"
    expect(
        said is not None and against is None,
        expected=asked,
        seen=answer.quoted(said) if said and not against else seen,
        where=answer.quoted(against) if against else answer.begins,
        hint="Compare the number of borders between GPUs with 2 and with 5 of them.",
    )


# ------------------------------------------------------------------ code and cells


def ran(submission, depth, gpus):
    """A forward pass to compare an answer with; what the code loses it loses elsewhere."""
    try:
        return submission.forward(depth=depth, gpus=gpus)
    except ProbeFailed as failed:
        raise NeedsPerson("the code does not run, so there is nothing to compare with") from failed


def number(cell):
    return next((q.value for q in cell.quantities), None) if cell else None


def seconds(cell):
    """The first time in a cell; a plain number where no unit is said."""
    quantities = [q for q in cell.quantities if q.seconds or q.unit is None] if cell else []
    return next((q.seconds or q.value for q in quantities), None)
