"""The report: the time that was measured, and whether the GPUs work at the same time.

What these say is a suggestion; a person confirms it.
"""

import re

import pytest

from grader.checking.expect import NeedsPerson, expect
from grader.checking.observations import ProbeFailed
from grader.crossings import crossings, timeline_of

LEAST, MOST = 1e-6, 60  # seconds that a forward pass takes, on any machine
UNITS = {"s": 1, "m": 1e-3, "µ": 1e-6, "μ": 1e-6, "u": 1e-6}

_NUMBER = r"(\d+(?:[.,]\d+)?(?:e[-+]?\d+)?)"
_WITH_UNIT = re.compile(
    rf"(?<![\w.,]){_NUMBER}\s?(ms|msec|milli\w*|[µμu]s|mi[ck]ro\w*|s|sec|secs|seconds?|sek\w*)\b",
    re.I,
)
_WITHOUT = re.compile(rf"(?:time|aeg)\b[^\d\n]{{0,20}}{_NUMBER}", re.I)  # as the page prints it

# ------------------------------------------------------------------ part 4


@pytest.mark.criterion("q.time")
def test_a_time_that_a_forward_pass_can_take(submission):
    answer = submission.answer("q.time")
    times = [value(number) * unit(name) for number, name in _WITH_UNIT.findall(answer.text)]
    times = times or [value(number) for number in _WITHOUT.findall(answer.text)]
    if not times:
        raise NeedsPerson("no time could be read")
    told = ", ".join(f"{time * 1000:.4g} ms" for time in times[:4])
    expect(
        any(LEAST <= time <= MOST for time in times),
        expected="a time that a forward pass can take",
        seen=told,
        hint="Check the unit: time.time() is in seconds.",
    )


def value(number):
    return float(number.replace(",", "."))


def unit(name):
    """Seconds of "ms", "microseconds", "sek"."""
    small = name.lower()
    return 1e-6 if small.startswith(("mic", "mik")) else UNITS[small[0]]


# ------------------------------------------------------------------ observations

AT_ONE_TIME = "(overlap*|parallel|simultaneous*|concurrent*|same time|same moment|together|at once)"
IN_TURN = (
    *(f"{no} .. {AT_ONE_TIME}" for no in ("no", "not", "nothing", "never", "none", "without")),
    *("(one|1) after (another|the other|each other)", "sequen*", "serial*", "turns", "in turn"),
    *("(first|then|afterwards|after that) .. (then|gpu 1|gpu1|cuda : 1)", "^no", "^nothing"),
    *("(wait*|idle|idles) .. (gpu|other|while|until|for)", "(gpu|other|one) .. (waits|idle|idles)"),
    *("(only|just) (one|1|a single) .. (work*|active|busy|time|comput*)", "(one|1) .. at a time"),
    *("ei .. (samal ajal|samaaegselt|kattu*|paralleel*|korraga|üheaegselt)", "järjest*", "^ei"),
    *("üksteise järel", "teise järel", "(ootab|seisab|ootama)", "kordamööda"),
)
AT_ONCE = (
    *("(in parallel|simultaneous*|at the same time|concurrently)", "(they|gpus) overlap", "^yes"),
    *("(samal ajal|samaaegselt|paralleelselt|korraga|üheaegselt)", "^jah"),
)


@pytest.mark.criterion("q.overlap")
def test_the_gpus_work_one_after_the_other(submission):
    answer = submission.answer("q.overlap")
    said = answer.says(*IN_TURN)
    in_turn = {found.sentence for found in answer.finds(*IN_TURN) if found.said}
    against = [f for f in answer.finds(*AT_ONCE) if f.said and f.sentence not in in_turn]
    if said and against:
        raise NeedsPerson(f"it says {answer.quoted(said)}, and {answer.quoted(against[0])}")
    if not said and not against:
        raise NeedsPerson("nothing in it is in words that we look for")
    expect(
        said is not None,
        expected=f"that the GPUs work one after the other{of_their_code(submission)}",
        seen=answer.quoted(said or against[0]),
        hint="GPU 1 needs what GPU 0 makes: while one works, the other waits.",
    )


def of_their_code(submission):
    """What their own forward pass does on simulated GPUs."""
    try:
        run = submission.program("time", gpus=2, timeline=True, finished=False)
    except (NeedsPerson, ProbeFailed):
        return ""
    timeline = next((timeline_of(run, one) for one in crossings(run)), None)
    if timeline is None:
        return ""
    both = sum(timeline.seconds_at_once()[2:])
    return f" (in a forward pass of this code, both compute for {both * 1e6:.1f} µs at once)"
