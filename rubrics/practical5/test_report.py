"""The report: tables, and answers that must be true of the student's own table or code.

What these say is a suggestion; a person confirms it.
"""

import re
from typing import NamedTuple

import pytest

from grader.checking.expect import NeedsPerson, expect
from grader.checking.observations import ProbeFailed

SECONDS = (1e-6, 86400)  # what a step, or all of them, may take
CLOSE = 0.03  # two times that differ by less are the same
SOME = 1.25  # a speedup from which on "no" is not what was measured

# ------------------------------------------------------------------ part 3


class Row(NamedTuple):
    """Times in seconds; None where there is none."""

    label: str
    step: float | None
    total: float | None


SINGLE = r"single|one|\b1\b|baseline|üks|ühe"
PARALLEL = r"parallel|\bdp\b|multi|\b[2-9]\b|two|several"


@pytest.mark.criterion("p3.table")
@pytest.mark.parametrize("setup", ["Single GPU", "DataParallel"])
def test_step_and_total_time(submission, setup):
    every = rows(submission)
    chosen = of(every, setup)
    expect(
        any(one.step and one.total for one in chosen),
        expected=f"step time and total time for {setup}",
        seen="; ".join(map(told, chosen)) or "no row of it",
        hint="One row for each setup, as in the table of Part 3.",
    )
    expect(
        all(one.step <= one.total for one in chosen if one.step and one.total),
        expected="steps that take less than all of the training",
        seen="; ".join(map(told, chosen)),
        hint="Check the units, and which of the two is the step.",
    )


FASTER = (
    *("^yes", "(became|becomes|become|got|gets|was|is|are|runs|ran|trains|trained) .. faster"),
    *(
        "faster than",
        "(times|x) faster",
        "speeds up",
        "sped up",
        "(reduces|reduced|decreased) .. time",
    ),
    *("(step|training|total) time .. (decreas*|dropped|fell|lower|shorter|smaller)", "^jah"),
)
NOT_FASTER = (
    *(
        "^no",
        "^not",
        "not .. (faster|quicker|improve*|speed*|accelerat*|shorter)",
        "slower",
        "slows",
    ),
    *("no (speedup|speed - up|improvement|gain)", "(takes|took|take|is|was|needs) .. longer"),
    *("(increas*|rose|grew|higher|longer) .. time", "time .. (increas*|rose|grew|higher|longer)"),
    *("(about|almost|nearly|practically) the same", "^ei", "aeglasem*"),
)


@pytest.mark.criterion("p3.faster")
def test_faster_or_not_as_measured(submission):
    answer = submission.answer("p3.faster")
    faster, quoted = claim(answer, FASTER, NOT_FASTER)
    speedups = [speedup for _, speedup in measured(submission)]
    agrees = max(speedups) > 1 - CLOSE if faster else min(speedups) < SOME
    expect(
        agrees,
        expected="an answer that is true of your table",
        seen=f"{quoted}, and in the table {listed(submission)}",
        hint="Divide the step time of the single GPU by that of DataParallel: above 1 is faster.",
    )


PROPORTIONAL = (
    *("^yes", "(is|was|nearly|almost|roughly|about|perfectly) (proportional|linear)"),
    *("(scales|scaled|grows) (linearly|proportionally)", "^jah"),
)
NOT_PROPORTIONAL = (
    *(
        "^no",
        "^not",
        "not .. (proportional|linear*|double|twice|scale*)",
        "(sublinear|sub - linear)",
    ),
    *("(less|lower|smaller) than .. (linear|proportional|ideal|number|2|3|5|expected)", "^ei"),
    *("far (from|below)", "no (speedup|speed - up)", "slower", "(diminishing|worse)"),
)


@pytest.mark.criterion("p3.proportional")
def test_proportional_or_not_as_measured(submission):
    answer = submission.answer("p3.proportional")
    proportional, quoted = claim(answer, PROPORTIONAL, NOT_PROPORTIONAL)
    found = measured(submission)
    ideal = [abs(speedup / gpus - 1) < 0.15 for gpus, speedup in found if gpus]
    none = max(speedup for _, speedup in found) < SOME
    expect(
        not none and (all(ideal) or not ideal) if proportional else not (ideal and all(ideal)),
        expected="an answer that is true of your table",
        seen=f"{quoted}, and in the table {listed(submission)}",
        hint="Proportional would be twice as fast on 2 GPUs, and five times on 5.",
    )


FIRST = (
    "(gpu 0|gpu0|gpu : 0|cuda : 0|cuda0|device 0|first gpu|main gpu|master gpu|primary gpu|one gpu)"
)
MORE = "(more|most|higher|highest|larger|largest|extra|additional|additionally|heavier|busier)"
MEMORY_DIFFERS = (
    *(
        f"{FIRST} .. {MORE}",
        f"{MORE} .. {FIRST}",
        "(others|other gpus|rest) .. (less|lower|smaller)",
    ),
    *("(each|every|all|both) .. (copy|copies|replica|replicas|parameters|whole model|full model)",),
    *("(copy|copies|replica|replicas|replicated) .. (each|every|all|both|gpus)", "unbalanced"),
    *("(total|combined|overall) .. memory .. (higher|more|larger|grows|increases)", "imbalance*"),
    *("memory .. (uneven*|unequal*|not equal*|spread|distributed|divided|split|shared)",),
    *("(part|share|fraction|half) of the (batch|activations)",),
)
MEMORY_SAME = (
    *("(same|equal|identical) .. memory", "memory .. (same|equal|identical|equally|evenly)"),
    *("no difference*", "not .. differ*"),
)


@pytest.mark.criterion("p3.memory")
def test_memory_as_it_was(submission):
    answer = submission.answer("p3.memory")
    said, same = answer.says(*MEMORY_DIFFERS), answer.says(*MEMORY_SAME)
    run = trained_in_parallel(submission)
    seen = "on virtual GPUs the peaks are " + ", ".join(map(mib, run.trace.peak_memory))
    if said is None and same is None:
        raise NeedsPerson(f"nothing in it is in words that we look for; {seen}")
    expect(
        said is not None,
        expected="how the memory of cuda:0 and of the others differ, and why",
        seen=f"{answer.quoted(said or same)}; {seen}",
        hint="Every GPU holds a copy of the model; on which do gradients come together?",
    )


# ------------------------------------------------------------------ part 4


@pytest.mark.criterion("p4.table")
@pytest.mark.parametrize("gpus", [3, 5], ids=["3 GPUs", "5 GPUs"])
def test_the_batch_is_split_as_the_table_says(submission, gpus):
    answer = submission.answer("p4.table")
    every = {count: cells for count in (2, 3, 5) if (cells := split_cells(answer, count))}
    if not every:
        raise NeedsPerson("no table with the number of GPUs and a split could be read")
    cells = every.get(gpus)
    line = " | ".join(cells) if cells else "no row of it"
    expect(
        bool(cells),
        expected=f"the split on {gpus} GPUs",
        seen="" if cells else line,
        hint="One row each for 2, 3 and 5 GPUs.",
    )
    said = best_split(cells, gpus)
    if len(said) != gpus:
        raise NeedsPerson(f"which samples go where on {gpus} GPUs? The table says {line!r}")
    own = own_split(submission, gpus)
    right = own if sum(own) == sum(said) else by_chunks(sum(said), gpus)
    expect(
        said == right,
        expected="/".join(map(str, right)),
        seen="/".join(map(str, said)),
        hint="Print x.shape in forward(): there each GPU has its own part.",
    )


def split_cells(answer, gpus):
    """The cells behind the number of GPUs, of its row."""
    for table in answer.tables:
        for n in range(len(table.columns[0].cells)):
            texts = [column.cells[n].text for column in table.columns]
            first = re.search(r"\d+", texts[0])
            if first and int(first[0]) == gpus and any(texts[1:]):
                return texts[1:]
    return None


def best_split(cells, gpus):
    """The cell with one number for each GPU, or the cells; "4x13 + 12" is five numbers."""
    found = [numbers_in(cell, gpus) for cell in cells]
    every = [number for numbers in found for number in numbers]
    if len(every) == gpus + 1 and every[0] == sum(every[1:]):
        return every[1:]
    return next((numbers for numbers in found if len(numbers) == gpus), [])


def numbers_in(cell, gpus):
    text = re.sub(r"\b(?:gpu|cuda)\s*[:#]?\s*\d+\s*[:=]", " ", cell, flags=re.IGNORECASE)
    pieces = re.findall(r"(\d+)(?:\s*[x×*]\s*(\d+))?", text)
    plain = [int(number) for one in pieces for number in one if number]
    for count_first in (True, False):
        long = []
        for one, other in pieces:
            count, rows = (one, other) if count_first else (other, one)
            long += [int(rows)] * min(int(count), 64) if other else [int(one)]
        if len(long) == gpus:
            return long
    return plain


def own_split(submission, gpus):
    """What the student's own script did; nothing where it splits nothing."""
    try:
        run = submission.program("dp", gpus=gpus, steps=1, dry=True)
    except (ProbeFailed, NeedsPerson):
        return []
    shares = max(run.splits(), key=len, default={})
    return [shares[gpu] for gpu in sorted(shares)]


def by_chunks(rows, gpus):
    """Parts as torch.chunk makes them, which is what nn.DataParallel scatters."""
    part = -(-rows // gpus)
    return [min(part, rows - start) for start in range(0, rows, part)]


# ------------------------------------------------------------------ part 5

LOADED = (
    *(
        "^yes",
        f"{FIRST} .. {MORE}",
        f"{MORE} .. {FIRST}",
        f"{FIRST} .. (gathers|collects|stores)",
        "^jah",
    ),
    *("(others|other gpus|rest) .. (less|lower)",),
)
NOT_LOADED = (
    *("^no", "^not", "(equally|evenly) (loaded|used|utilized|utilised|busy)", "same load", "^ei"),
    *("all .. (same|equal) (load|utilization|utilisation|memory)", "balanced"),
)


@pytest.mark.criterion("p5.loaded")
def test_the_first_gpu_is_more_loaded(submission):
    answer = submission.answer("p5.loaded")
    loaded, quoted = claim(answer, LOADED, NOT_LOADED)
    run = trained_in_parallel(submission)
    copies = [edge for edge in run.trace.edges() if min(edge.source, edge.target) >= 0]
    of_gpu = [
        sum(edge.bytes for edge in copies if gpu in (edge.source, edge.target))
        for gpu in range(run.gpus)
    ]
    peaks = run.trace.peak_memory
    truly = of_gpu[0] > max(of_gpu[1:]) and peaks[0] > max(peaks[1:])
    expect(
        loaded == truly,
        expected="an answer that is true of the code",
        seen=f"{quoted}; on {run.gpus} virtual GPUs {mib(of_gpu[0])} are copied from or to cuda:0, "
        f"{mib(max(of_gpu[1:]))} from or to the next; the peak memory of cuda:0 is "
        f"{mib(peaks[0])}, that of the next {mib(max(peaks[1:]))}",
        hint="cuda:0 has the batch, the outputs, the gradients of all, and the optimizer.",
    )


# ------------------------------------------------------------------ tables, claims, runs


def rows(submission):
    """What the table of Part 3 says, row by row."""
    found = []
    for table in submission.answer("p3.table").tables:
        first, *others = table.columns
        names = [cell.text for cell in first.cells]
        heads = [column.label for column in others]
        if any(map(measures, names)) and not any(map(measures, heads)):  # the setups are the heads
            found += [row(column.label, names, column.cells) for column in others]
        else:
            cells = zip(*(column.cells for column in others), strict=True)
            found += [row(name, heads, own) for name, own in zip(names, cells, strict=False)]
    if not any(one.step or one.total for one in found):
        raise NeedsPerson("no table with times could be read")
    return found


def row(label, heads, cells):
    """Times under heads that say which is which; else the first is the step's."""
    times = [
        (head, time)
        for head, cell in zip(heads, cells, strict=True)
        if (time := seconds(cell, head))
    ]
    totals = [time for head, time in times if measures(head) == "total"]
    steps = [time for head, time in times if measures(head) != "total"]
    return Row(label, next(iter(steps), None), next(iter(totals or steps[1:]), None))


def measures(head):
    """What a head says is measured, as far as it says so."""
    if re.search(r"total|overall|kogu", head, re.IGNORECASE):
        return "total"
    return "step" if re.search(r"step|time|aeg", head, re.IGNORECASE) else None


def seconds(cell, head):
    """The first time in a cell; a plain number is in seconds, as the page has it."""
    plain = 1e-3 if re.search(r"\bms\b|milli", head, re.IGNORECASE) else 1
    found = (q.seconds or q.value * plain for q in cell.quantities if q.seconds or q.unit is None)
    return next((value for value in found if SECONDS[0] <= value <= SECONDS[1]), None)


def of(every, setup):
    """The rows of one setup. "DataParallel (2 GPUs)" is no single GPU."""
    several = [one for one in every if re.search(PARALLEL, one.label, re.IGNORECASE)]
    if setup == "DataParallel":
        return several
    single = [one for one in every if re.search(SINGLE, one.label, re.IGNORECASE)]
    return [one for one in single if one not in several]


def measured(submission):
    """(number of GPUs or None, speedup) of each row of DataParallel."""
    every = rows(submission)
    single = [one.step for one in of(every, "Single GPU") if one.step]
    several = [one for one in of(every, "DataParallel") if one.step]
    if not single or not several:
        raise NeedsPerson("the table of Part 3 has no two step times to compare with")
    return [(gpus_in(one.label), single[0] / one.step) for one in several]


def gpus_in(label):
    found = re.search(r"\b([2-9])\b", label)
    return int(found[1]) if found else None


def listed(submission):
    return ", ".join(f"{one.label} {one.step:.4g} s" for one in rows(submission) if one.step)


def told(one):
    times = (("step", one.step), ("total", one.total))
    return f"{one.label}: " + ", ".join(f"{name} {t:.4g} s" for name, t in times if t)


def claim(answer, yes, no):
    """Whether it says yes, and where: how a sentence begins counts most.

    NeedsPerson where it says both or neither.
    """
    for begins in (True, False):
        said = answer.says(*(phrase for phrase in yes if phrase.startswith("^") == begins))
        against = answer.says(*(phrase for phrase in no if phrase.startswith("^") == begins))
        if said and against:
            raise NeedsPerson(f"it says {answer.quoted(said)}, and {answer.quoted(against)}")
        if said or against:
            return bool(said), answer.quoted(said or against)
    raise NeedsPerson("nothing in it is in words that we look for")


def mib(size):
    return f"{size / 2**20:.1f} MiB"


def trained_in_parallel(submission):
    """The student's own training on 3 GPUs; NeedsPerson where it is not on several."""
    try:
        try:
            run = submission.program("dp", gpus=3, dry=True)
        except (ProbeFailed, NeedsPerson):  # it looks at its numbers
            run = submission.program("dp", gpus=3)
    except ProbeFailed as failed:
        raise NeedsPerson("the code does not run, so there is nothing to compare with") from failed
    if len(run.trace.used()) < 2:
        raise NeedsPerson("the code uses one GPU, so there is nothing to compare with")
    return run
