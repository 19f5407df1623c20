"""The report: what was observed must be true of the student's own sample.

What these say is a suggestion; a person confirms it. Where their sample does not run, the page's
words are the truth.
"""

import re

import pytest

from grader.checking.expect import NeedsPerson, expect
from grader.checking.observations import ProbeFailed
from grader.checking.phrases import plain, sentences

GPUS, RANKS, MICRO = 4, 2, 4
PAGE = {0: {0, 2}, 1: {1, 3}}

# ------------------------------------------------------------------ part 1


@pytest.mark.criterion("p1.q1")
def test_number_of_processes(submission):
    answer = submission.answer("p1.q1")
    said = counts(answer, "process", "processes", "workers", "protsessi") | bare(answer)
    said |= counts(answer, "ranks", behind=False)
    listed = {int(n) for n in re.findall(r"\brank \]? ?(\d)\b", plain(answer.text))}
    if not said and listed:
        said = {len(listed)}
    decide(said, {RANKS}, "2 processes, one for each rank")


@pytest.mark.criterion("p1.q2")
def test_gpus_of_each_rank(submission):
    answer = submission.answer("p1.q2")
    truth = PAGE
    if (run := ran(submission)) is not None:
        truth = {rank: set(one[0].placement) for rank, one in enumerate(run.iterations()) if one}
    rule = answer.says("(rank|r|local_rank) + 2", "gpu r .. r + 2")
    if rule and truth == PAGE:
        expect(True, expected="the rule", seen=answer.quoted(rule))
        return
    ways = [gpus_behind_ranks(answer.text), gpus_before_ranks(answer.text)]
    seen = next((way for way in ways if way == truth), ways[0])
    if not all(seen.values()) or len(seen) < len(truth):
        raise NeedsPerson("no GPUs were found for each rank")
    expect(
        seen == truth,
        expected=told(truth),
        seen=told(seen),
        hint="Print device0 and device1 in each rank.",
    )


@pytest.mark.criterion("p1.q3")
def test_number_of_micro_batches(submission):
    answer = submission.answer("p1.q3")
    own, times = steps_in(ran(submission), MICRO)
    said = counts(answer, "micro", "micro-batches", "microbatches", "micro-batch", "microbatch")
    said |= bare(answer)
    said |= {int(n) for n in re.findall(r"micro batches = (\d+)", plain(answer.text))}
    decide(said, {own * n for n in times}, f"{own} micro-batches in each rank")


AFTER = (
    *(
        "after .. (all|last|every|whole|the) .. (micro*|backward*|accumulat*|batch*)",
        "once .. (all|last)",
    ),
    *("(end|finish*|complet*) .. (iteration|step|micro*|backward*|batch*)", "end of"),
    *(
        "before .. (optimizer|step|update*|weights|parameters)",
        "(once|one time) (per|in each|in every|every|each)",
    ),
    *("after .. loop", "after .. (micro*|backward*) .. (done|finished|complete*|processed|are)"),
    *("after (the )?backward", "after gradient*", "after accumulat*"),
)
EACH = (
    "(after|in|during|for|at|with) (each|every) (micro*|micro batch|backward*|forward*)",
    "(every|each) micro* .. (sync*|all_reduce|allreduce)",
)
WRONG = ("(during|in|before|after) (the )?forward*", "(no|never) sync*", "at the (start|beginning)")


@pytest.mark.criterion("p1.q4")
def test_when_gradients_are_synchronised(submission):
    answer = submission.answer("p1.q4")
    run = ran(submission)
    often = run is not None and any(
        len(one.syncs()) > 1 for rounds in run.iterations() for one in rounds
    )
    said = answer.says(*EACH) if often else answer.says(*AFTER)
    against = answer.says(*WRONG) or (None if often else answer.says(*EACH))
    if said and against and said.sentence != against.sentence:
        raise NeedsPerson(f"it says {answer.quoted(said)}, and {answer.quoted(against)}")
    if not (said or against):
        raise NeedsPerson("nothing in it is in words that we look for")
    expect(
        said is not None and against is None,
        expected="after every micro-batch, as your sample does"
        if often
        else "once in an iteration, after the backward passes of all micro-batches",
        seen=answer.quoted(against or said),
        hint="Look where the all_reduce stands: in the loop over micro-batches, or behind it?",
    )


# ------------------------------------------------------------------ part 2


@pytest.mark.criterion("p2.q2")
@pytest.mark.parametrize("micro", [2, 8], ids=["2 micro-batches", "8 micro-batches"])
def test_forward_and_backward_steps(submission, micro):
    answer = submission.answer("p2.q2")
    own, times = steps_in(ran(submission, sizes={"micro": micro}), micro)
    rule = answer.says(
        *(
            "(one|1) forward .. (one|1) backward .. (each|every|per) micro*",
            "(equal*|same) .. micro*",
        ),
        *("as many .. micro*", "number of micro* .. (forward|backward|steps)", "per micro*"),
    )
    if rule and own == micro:
        expect(True, expected="a step for each micro-batch", seen=answer.quoted(rule))
        return
    said = steps_said(answer, micro)
    if not said:
        raise NeedsPerson(f"no number of steps with {micro} micro-batches was found")
    wanted = {own * n for n in times}
    expect(
        bool(said & wanted),
        expected=f"{own} forward and {own} backward steps in each rank and iteration with "
        f"MICRO_BATCHES = {micro}",
        seen=", ".join(map(str, sorted(said))),
        hint="Count the lines of one rank in one iteration.",
    )


def steps_said(answer, micro):
    """Numbers of steps in what is said of so many micro-batches, else in all that is said."""
    rows = [[int(n) for n in re.findall(r"\d+", row)] for row in rows_of(answer.text)]
    for row in rows:
        if row and row[0] == micro and len(row) > 1:
            return set(row[1:])
    steps = r"(\d+) (?:x |times |of )?(?:forward|backward|fwd|bwd|steps|step|passes|pass)"
    names = r"micro(?:_batches| - batches| batches|batches| - batch| batch)?"
    others = "|".join(str(n) for n in (2, 4, 8) if n != micro)
    text = plain(answer.text)
    own = re.search(
        rf"(?:{names} (?:= |: |is |of )?{micro}|(?<!\d){micro} {names}|(?:with|for) {micro})(?!\d)"
        rf"(.*?)(?={names} (?:= |: |is |of )?(?:{others})|(?:{others}) {names}|"
        rf"(?:with|for) (?:{others})(?!\d)|$)",
        text,
    )
    found = {int(n) for n in re.findall(steps, own[1] if own else text)}
    if not found and own:
        found = {int(n) for n in re.findall(r"(?<![\d.])\d+(?![\d.])", own[1])}
    before = rf"(\d+) (?:[^\d\s]+ ){{0,6}}with (?:{names} )?(?:= )?{micro}(?!\d)"
    return found or {int(n) for n in re.findall(before, text)}


# ------------------------------------------------------------------ parts 4 and 5

ALONE = (
    *(
        "(one|1|single) (process|rank|worker|copy|participant|replica)",
        "only rank 0",
        "itself",
        "trivial*",
    ),
    *(
        "no other (process*|rank*)",
        "(nobody|nothing|no one|none) .. (synchron*|exchange|average|reduce|share|with)",
    ),
    *(
        "(no|not|without) .. (effect|needed|necessary|change|changes|happen*|meaning*)",
        "no - op",
        "does nothing",
    ),
    *(
        "(no|without) .. (communicat*|exchange|partner|peer*|synchron*)",
        "world_size .. 1",
        "with itself",
    ),
    *("world size .. 1", "alone", "not .. (synchron*|happening|any more|anymore|real*)", "no need"),
)
STILL = ("^yes", "^jah", "still .. (happen*|called|executed|runs|synchron*)", "answer : yes")


@pytest.mark.criterion("p4.q2")
def test_synchronisation_of_one_process(submission):
    answer = submission.answer("p4.q2")
    run = ran(submission, processes=1)
    called = run is None or any(run.collectives())
    alone, still = answer.says(*ALONE), answer.says(*STILL)
    if not alone and not still:
        if answer.says("^no", "^ei", "answer : no"):
            raise NeedsPerson("it says no more than no; why does one process not synchronise?")
        raise NeedsPerson("nothing in it is in words that we look for")
    if still and not alone:
        raise NeedsPerson(f"it says {answer.quoted(still)}; with whom?")
    expect(
        called or not still,
        expected="that nothing is synchronised: your sample makes no collective call in one "
        "process",
        seen=answer.quoted(still or alone),
        hint="Look for lines of synchronisation in the output of one process.",
    )


ONE_EACH = (
    *(
        "(each|every|per|both) .. (one|1|single|same|own|only) .. (gpu|device|cuda|card)",
        "(one|1|single) gpu",
    ),
    *("(one|1|same|single) (gpu|device) (per|for each|in each|for every) (rank|process)"),
    *("cuda : 0 .. cuda : 1", "gpu 0 .. gpu 1", "gpus 0 and 1", "(only|just) 2 (gpus|of|gpu)"),
    *(
        "2 gpus .. (rank*|process*|total|data|because|one)",
        "2 .. of (the )?4",
        "no .. model paralle*",
    ),
    *(
        "model paralle* .. (no longer|not|gone|broken|lost|disabled|off)",
        "(still|only) data paralle*",
    ),
    *(
        "data paralle* .. (still|only|remains|left|works)",
        "(2|3) .. (idle|unused|not used|empty|free)",
    ),
    *("not .. (within|inside|in|by|per) (a|one|each|the same|every) (rank|process)",),
)
ALL_FOUR = ("all (4|of them|gpus|the gpus) .. (use*|busy|work*)", "(all )?4 gpus .. (still|use*)")


@pytest.mark.criterion("p5.q2")
def test_gpus_that_are_still_used(submission):
    answer = submission.answer("p5.q2")
    said, against = answer.says(*ONE_EACH), answer.says(*ALL_FOUR)
    if said and against and said.sentence != against.sentence:
        raise NeedsPerson(f"it says {answer.quoted(said)}, and {answer.quoted(against)}")
    if not (said or against):
        raise NeedsPerson("nothing in it is in words that we look for")
    expect(
        said is not None and against is None,
        expected="one GPU for each rank, so two in all, and no model parallelism",
        seen=answer.quoted(against or said),
        hint="Print where the parameters of both halves are, in each rank.",
    )


# ------------------------------------------------------------------ their own sample


def ran(submission, *, processes=RANKS, **changes):
    """A run of the sample to compare an answer with; None where it does not come to its end."""
    try:
        return submission.torchrun("sample", processes=processes, gpus=GPUS, **changes)
    except (ProbeFailed, NeedsPerson):
        return None


def steps_in(run, usual):
    """Forward steps of a rank in an iteration, and by what they may be counted otherwise."""
    rounds = run.iterations()[0] if run is not None else []
    own, many = (rounds[0].forwards, len(rounds)) if rounds else (usual, 1)
    return own, {a * b * c for a in (1, 2) for b in (1, RANKS) for c in (1, many)}


# ------------------------------------------------------------------ numbers in words


def counts(answer, *units, behind=True):
    """Numbers of something: "2 processes", "two separate processes"; and "processes: 2"."""
    words = "|".join(re.escape(plain(unit)) for unit in sorted(units, key=len, reverse=True))
    found = set()
    for sentence in [*sentences(answer.text), *rows_of(answer.text)]:
        text = plain(sentence)
        found |= {int(n) for n in re.findall(rf"(?<!\S)(\d+) (?:[a-z]+ )?(?:{words})(?!\S)", text)}
        if behind:
            after = rf"(?<!\S)(?:{words}) (?:= |: |is |are )?(?:equal to )?(\d+)(?!\S)"
            found |= {int(n) for n in re.findall(after, text)}
    return found


def bare(answer):
    """The number that is all of an answer, or begins it."""
    lines = [
        re.sub(r"^\W*(?:q|question|a|answer)\W*\d*\W+", "", line.strip(), flags=re.I)
        for line in answer.text.split("\n")
    ]
    starts = (re.match(r"(?:\W|there are|it is)*(\d+)(?![\w.:)])", plain(line)) for line in lines)
    return {int(found[1]) for found in starts if found}


def decide(said, wanted, expected):
    if not said:
        raise NeedsPerson("no number was found in it")
    expect(
        bool(said & wanted),
        expected=expected,
        seen=", ".join(map(str, sorted(said))),
        hint="Run the sample once more, and count.",
    )


def rows_of(text):
    return [line for line in text.split("\n") if line.lstrip().startswith("|")]


def gpus_behind_ranks(text):
    """As in "Rank 0: GPU 0 and 2" and "| 0 | cuda:0, cuda:2 |"."""
    found = {}
    for row in rows_of(text):
        first, *rest = row.strip().strip("|").split("|")
        ranks = re.findall(r"\d", first)
        gpus = {int(n) for cell in rest for n in re.findall(r"(?<!\d)[0-7](?!\d)", cell)}
        if len(ranks) == 1 and gpus:
            found[int(ranks[0])] = gpus
    if found:
        return found
    parts = re.split(r"\brank \]? ?(\d)\b", plain(text))
    for rank, said in zip(parts[1::2], parts[2::2], strict=True):
        found.setdefault(int(rank), set()).update(gpus_in(said))
    return found


def gpus_before_ranks(text):
    """As in "GPU 0 and 2 are used by rank 0"."""
    parts = re.split(r"\brank \]? ?(\d)\b", plain(text))
    return {int(rank): gpus_in(said) for said, rank in zip(parts[0::2], parts[1::2], strict=False)}


def gpus_in(text):
    """Numbers of GPUs, without how many they are or what else is counted."""
    text = re.sub(r"(?<!\S)(gpu|cuda|device)(\d)", r"\1 \2", text)
    text = re.sub(r"(?<!\S)\d+ (?:gpus?|devices?|cards?|half|halves|layers?)(?!\S)", " ", text)
    return {int(n) for n in re.findall(r"(?<![\w.])([0-7])(?![\w.])", text)}


def told(gpus):
    return "; ".join(
        f"rank {rank}: {' and '.join(f'cuda:{gpu}' for gpu in sorted(own))}"
        for rank, own in sorted(gpus.items())
    )
