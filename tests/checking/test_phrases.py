"""What a sentence says, denies, and only expected."""

from __future__ import annotations

import pytest

from grader.checking.phrases import find, plain, says, sentences


@pytest.mark.parametrize(
    ("phrase", "text"),
    [
        ("wait* for", "GPU 1 is waiting for GPU 0."),
        ("3 .. 3", "There are three layers on GPU 0, and 3 on GPU 1."),
        ("(gpus|gpu) - 1", "It grows as number of GPUs − 1."),
        ("depth // 2", "The first depth//2 layers stay."),
        ("i % n", "Layer i is on GPU i % n."),
        ("one after (another|the)", "They run one after\nanother."),
        ("üksteise järel", "Kihid töötavad üksteise  järel."),
        ("sequential*", "Execution is SEQUENTIAL."),
        ("each .. output", "each layer needs the previous output"),
        ("not faster", "It is not faster."),
        ("^no", "Does it improve? No, it does not."),
        ("^no", "Task 2\n| 6 | 8 ms |\nNo, it does not."),
        ("^no", "**Q2** No, it does not."),
        ("^no", "a) No."),
        ("^no", "- Answer: no, it does not."),
        ("(if|when) .. multiple", "If the batch is a multiple of the number of GPUs."),
    ],
)
def test_a_phrase_is_found(phrase: str, text: str) -> None:
    found = says(text, [phrase])
    assert found is not None
    assert found.sentence in sentences(text)


@pytest.mark.parametrize(
    ("phrase", "text"),
    [
        ("wait* for", "Nobody waits."),
        ("3 .. 3", "3 layers."),
        ("3 .. 3", "3 layers are there. GPU 3 is idle."),  # another sentence
        ("^no", "There is no overlap."),
        ("^no", "GPU 1: no."),
        ("multiple", "If the batch were a multiple of the number of GPUs."),
        ("faster", "Is it faster? It is slower."),
        ("wait* for", "```\nwait for it\n```\nThe end."),
        ("each .. output", "each a b c d e f g h i output"),
    ],
)
def test_a_phrase_is_not_found(phrase: str, text: str) -> None:
    assert says(text, [phrase]) is None


@pytest.mark.parametrize(
    "text",
    [
        "Training is not faster.",
        "It doesn't get faster.",
        "It isn’t really any faster.",
        "I expected it to be faster, but it is not.",
        "One might think that it is faster.",
        "See ei ole faster.",
        "It never becomes faster with more GPUs.",
    ],
)
def test_what_is_denied_or_expected_is_not_said(text: str) -> None:
    assert says(text, ["faster"]) is None
    assert list(find(text, ["faster"]))


@pytest.mark.parametrize(
    "text",
    [
        "It is faster.",
        "I did not expect this, but it is faster.",
        "I think it is faster.",
        "No, because of the cache: it is faster.",
        "Memory does not fall, training gets faster.",
    ],
)
def test_a_denial_ends_with_its_clause(text: str) -> None:
    assert says(text, ["faster"]) is not None


def test_rows_of_tables_are_no_sentences() -> None:
    text = "The table:\n| DEPTH | ms |\n| 6 | 8,1 |\nshows it. Yes."
    assert sentences(text) == ["The table: shows it.", "Yes."]


def test_numbers_are_digits() -> None:
    assert plain("Kolm kihti, three layers; 3/3") == "3 kihti , 3 layers ; 3 / 3"
