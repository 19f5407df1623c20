"""Code in common is found in disguise; honest code on the same base is not."""

from __future__ import annotations

import pytest
from forty import disguised, everybody, hand_in, starter

pytest.importorskip("copydetect", reason="the extra `similarity` is not installed")

from grader.records import Likeness
from grader.similarity import MOST_PAIRS, Given, HandedIn, compare
from grader.similarity.code import LEAST, SHARE, code_in_common


def found(hand_ins, given=None):
    return list(code_in_common(hand_ins, given or starter(), MOST_PAIRS))


def test_forty_authors_on_one_base_code_have_no_code_in_common():
    assert found(everybody()) == []


@pytest.mark.parametrize(
    "name", ["latex_clean", "eesti_keeles", "gdocs_gib", "json_config_utils_package"]
)
def test_a_copy_with_other_names_order_and_comments_is_found_and_nobody_else(name):
    code = {f"mine/{file}": disguised(text) for file, text in hand_in(name).code.items()}
    [pair] = found([*everybody(), HandedIn("zz", code)])
    assert (pair.first, pair.second, pair.kind) == (name, "zz", Likeness.CODE)
    assert min(pair.shares) > SHARE


def test_a_copy_in_a_notebook_is_found_and_placed_in_its_cell():
    script = hand_in("while_true_argv_depth").code["hw3_final_v2.py"]
    lines = script.split("\n")
    cells = {"A.ipynb, cell 1": "\n".join(lines[:30]), "A.ipynb, cell 2": "\n".join(lines[30:])}
    [pair] = found([*everybody(), HandedIn("zz", cells)])
    assert pair.first == "while_true_argv_depth"
    assert pair.where[1].startswith("A.ipynb, cell 2, lines ")


def test_the_lines_named_hold_the_same_code():
    original = hand_in("argparse_round_robin").code["train_mp.py"]
    moved = "\n" * 7 + original
    [pair] = found([HandedIn("a", {"x.py": original}), HandedIn("b", {"y.py": moved})])
    (first, last), (moved_first, moved_last) = (
        map(int, where.rpartition(" ")[2].split("-")) for where in pair.where
    )
    assert (first + 7, last + 7) == (moved_first, moved_last)
    assert last - first > 20


def test_what_was_given_does_not_count():
    template = starter().code[0]
    two = [HandedIn(id_, {"hw3.py": template}) for id_ in "ab"]
    assert found(two) == []
    assert found(two, Given())  # there is enough of it


def test_what_most_of_a_class_has_was_given_though_nobody_said_so():
    shared = hand_in("latex_clean").code["hw3.py"]
    others = [one for one in everybody() if one.id != "latex_clean"]
    assert found([HandedIn(one.id, {**one.code, "utils.py": shared}) for one in others]) == []
    few = [HandedIn(one.id, {**one.code, "utils.py": shared}) for one in others[:2]]
    assert {(pair.first, pair.second) for pair in found([*few, *others[2:]])} == {
        (few[0].id, few[1].id)
    }


def test_a_short_piece_in_common_says_nothing():
    few = "\n".join(starter().code[0].split("\n")[40:50])
    assert found([HandedIn(id_, {"hw3.py": few}) for id_ in "ab"], Given()) == []
    assert LEAST > 100


@pytest.mark.parametrize(
    "text", ["def f(:\n" * 300, "\0" * 5000, '"%' + "0" * 290, "é" * 3000, "(" * 20000, ""]
)
def test_what_is_no_python_is_compared_all_the_same(text):
    pair = [HandedIn(id_, {"hw3.py": text}) for id_ in "ab"]
    assert all(one.kind is Likeness.CODE for one in compare(pair, Given()).in_common)


def test_the_strongest_pairs_come_first_and_no_more_than_a_person_reads():
    script = hand_in("latex_clean").code["hw3.py"]
    ring = [HandedIn(f"s{n:02}", {"hw3.py": script + f"\nx{n} = [{n}] * 9"}) for n in range(9)]
    assert len(found(ring)) == 36
    assert len(list(code_in_common(ring, starter(), 5))) == 5
