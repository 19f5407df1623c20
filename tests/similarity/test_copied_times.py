"""The same times to the last digit are no chance; the same memory is."""

from __future__ import annotations

import random

import pytest
from forty import everybody, hand_in

from grader.similarity import HandedIn
from grader.similarity.times import tables_in_common, times_in

TIMES = (3.917, 7.804, 15.52)


def table(*times: object, unit: str = "ms") -> str:
    rows = [f"| {6 * 2**n} | {time} {unit} |" for n, time in enumerate(times)]
    return "\n".join(["Task 2", "| DEPTH | Step time |", *rows, "That is slower."])


def reports(*texts: str, strangers: int = 0) -> list[HandedIn]:
    draw = random.Random(1)
    others = [table(*(f"{draw.uniform(1, 99):.3f}" for _ in TIMES)) for n in range(strangers)]
    return [HandedIn(f"s{n:02}", pages=(text,)) for n, text in enumerate([*texts, *others])]


def test_forty_honest_reports_have_no_times_in_common():
    assert list(tables_in_common(everybody())) == []


def test_a_table_copied_in_another_unit_is_found():
    [pair] = tables_in_common(
        reports(table(*TIMES), table(0.003917, "0,007804", 0.01552, unit="s"), strangers=20)
    )
    assert (pair.first, pair.second) == ("s00", "s01")
    assert pair.amount == "3 times"
    assert pair.what == "3.917 ms, 7.804 ms, 15.52 ms"
    assert pair.shares == (1.0, 1.0)


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ((3.917, 7.804, 15.53), "the last digit of one"),
        ((15.52, 7.804, 3.917), "the order"),
        ((4, 8, 16), "the digits"),
    ],
)
def test_what_differs_in_anything_is_not(other, why):
    assert list(tables_in_common(reports(table(*TIMES), table(*other)))) == [], why


def test_few_digits_say_less_and_in_a_class_of_two_nothing():
    short = table(3.92, 7.81, 15.5)
    assert list(tables_in_common(reports(short, short))) == []
    longer = table(3.92, 7.81, 15.5, 31.3, 62.4)
    assert list(tables_in_common(reports(longer, longer, strangers=40)))
    assert list(tables_in_common(reports(table(*TIMES), table(*TIMES))))


@pytest.mark.parametrize(("spread", "digits"), [(0.02, 3), (0.02, 4), (0.002, 3), (0.002, 4)])
def test_a_class_on_machines_of_one_kind_is_not_accused(spread, digits):
    draw = random.Random(3)
    pairs = 0
    for _ in range(10):
        texts = []
        for _ in range(40):
            machine = draw.gauss(1, spread)
            times = [ms * machine * draw.gauss(1, spread) for ms in (5.9, 11.5, 22.6, 18.9, 19.3)]
            texts.append(table(*(f"{time:.{digits}g}" for time in times)))
        pairs += len(list(tables_in_common(reports(*texts))))
    assert pairs == 0


def test_memory_and_losses_are_the_same_wherever_the_same_code_runs():
    text = (
        "| GPUs | memory per GPU |\n| 2 | 1309.328 MB |\n| 5 | 527.2104 MB |\n| 3 | 777.125 MB |\n"
        "Step 0: loss 1.010234 time 0.1 s\nStep 1: loss 1.020391 time 0.1 s\n"
        "Step 2: loss 1.030776 time 0.1 s\n"
    )
    assert list(tables_in_common(reports(text, text))) == []


def test_what_most_have_was_given_and_what_too_many_write_is_chance():
    assert list(tables_in_common(reports(*[table(*TIMES)] * 12))) == []
    short = table(*(f"{n}.{n}1" for n in range(1, 9)))
    assert len(list(tables_in_common(reports(*[short] * 3, strangers=20)))) == 3
    assert list(tables_in_common(reports(*[short] * 4, strangers=20))) == []


def test_a_table_is_named_where_two_of_the_times_stand_in_it():
    pages = ("As always.", table(*TIMES))
    tables = {"t2.table": table(*TIMES[:2]), "t4.table": table(8.118, TIMES[2])}
    [pair] = tables_in_common([HandedIn("a", {}, pages, tables), HandedIn("b", {}, pages, {})])
    assert pair.criteria == (("t2.table",), ())
    assert pair.where == ("report, page 2", "report, page 2")


def test_simulated_times_come_with_a_caution():
    text = table(*TIMES) + "\nThese are simulated A100s."
    [pair] = tables_in_common(reports(text, text))
    assert "simulated times are the same" in pair.what


def test_times_of_every_form_are_read():
    told = [time.text for time in times_in(hand_in("notebook_chunk_answers").pages)]
    assert {"0.0138 s", "0.0272 s", "0.3911 s"} <= set(told)
