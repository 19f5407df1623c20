"""The same answers under headings as students write them: each is found, with no neighbour's."""

from __future__ import annotations

import pytest

from grader.assignment import find
from grader.grading.answers import asked as words_of
from grader.intake import Asked, find_passage
from grader.records import Report
from grader.rubric import load_rubric

Q1 = "There are 3 layers on GPU 0 and 3 layers on GPU 1."
Q2 = "It moves at x.to(layer_device), right before layer 3."
ROWS = "| DEPTH | Step time (ms) |\n| 6 | 8.1 |\n| 12 | 16.3 |\n| 24 | 33.0 |"
DEEPER = "No, a deeper model is slower because layers run one after another."
CODE = "```\ndef __init__(self):\n# Task 4: a comment\nself.layers = []\n```"
LOGIC = "Layer i goes to GPU i * n // depth."
MEMORY = "| GPUs | Step time (ms) | Memory (MiB) |\n| 2 | 27.1 | 1285 |\n| 5 | 27.9 | 517 |"
USED = "All GPUs hold layers, but five are not faster than two."
COUNTS = "With 2 GPUs there is 1 transfer and with 5 GPUs there are 4."
GROWTH = "Overhead grows as the number of GPUs minus one."

ALL = (Q1, Q2, ROWS, DEEPER, CODE, LOGIC, MEMORY, USED, COUNTS, GROWTH)

#: What must be under each heading of the rubric; `exact` styles hold nothing else.
WANTED = {
    ("Task 1", "Q1"): [Q1],
    ("Task 1", "Q2"): [Q2],
    ("Task 2", "Table"): [ROWS],
    ("Task 2", "Answer"): [DEEPER],
    ("Task 3",): [LOGIC],
    ("Task 4", "Table"): [MEMORY],
    ("Task 4", "Answer"): [USED],
    ("Task 5",): [COUNTS, GROWTH],
    ("Task 5", "Answer"): [GROWTH],
}
OF_TASK = {1: (Q1, Q2), 2: (ROWS, DEEPER), 3: (CODE, LOGIC), 4: (MEMORY, USED), 5: (COUNTS, GROWTH)}

QUESTION_1 = "How many layers are assigned to GPU 0 and GPU 1?"
QUESTION_2 = "In the forward() method, at what exact point does the\ndata move from GPU 0 to GPU 1?"


def report(tasks: list[str], inner: list[str]) -> str:
    """A report with these headings: five of tasks, seven within them."""
    q1, q2, table2, answer2, table4, answer4, answer5 = inner
    parts = [
        [tasks[0], q1, Q1, q2, Q2],
        [tasks[1], table2, ROWS, answer2, DEEPER],
        [tasks[2], CODE, LOGIC],
        [tasks[3], table4, MEMORY, answer4, USED],
        [tasks[4], COUNTS, answer5, GROWTH],
    ]
    return "\n".join(line for part in parts for line in part if line)


def many(form: str, *names: str) -> list[str]:
    names = names or ("1", "2", "3", "4", "5")
    return [form.format(name) for name in names]


TITLES = [
    "Current Behavior",
    "Increase Model Size",
    "Use All GPUs",
    "Run with More GPUs",
    "Data Transfer",
]
PLAIN = ["Q1)", "Q2)", "Table:", "Answer:", "Table:", "Answer:", "Answer:"]
WORDS = ["one", "two", "three", "four", "five"]

EXACT = {
    "plain": report(many("Task {}"), PLAIN),
    "capitals": report(many("TASK {} -"), ["Q1:", "Q2:", *["TABLE", "ANSWER"] * 2, "ANSWER"]),
    "words": report(many("Task {}", *WORDS), PLAIN),
    "hash": report(many("Task #{}"), PLAIN),
    "exercise": report(many("Exercise {}:"), ["Question 1", "Question 2", *PLAIN[2:]]),
    "problem": report(many("Problem {}."), ["1)", "2)", *PLAIN[2:]]),
    "part": report(many("Part {}"), PLAIN),
    "question": report(many("Question {}"), ["a)", "b)", *PLAIN[2:]]),
    "t1": report(many("T{}:"), PLAIN),
    "homework": report(many("Homework 3 - Task {}"), PLAIN),
    "first": report(
        ["First task", "Second task", "Third task", "Fourth task", "Fifth task"],
        ["First question:", "Second question:", *PLAIN[2:]],
    ),
    "titles": report(TITLES, PLAIN),
    "numbered titles": report([f"{n}. {t}" for n, t in enumerate(TITLES, 1)], PLAIN),
    "titles behind": report([f"{n} {t} (3 Points)" for n, t in enumerate(TITLES, 2)], PLAIN),
    "small titles": report([f"Task {n} {t.lower()}" for n, t in enumerate(TITLES, 1)], PLAIN),
    "numbers": report(many("{}."), PLAIN),
    "numbers in brackets": report(many("{})"), PLAIN),
    "markdown": report(many("## Task {}"), ["### Q1", "### Q2", *["### Table", "### Answer"] * 2, "**Answer**"]),
    "bold": report(many("**Task {}:**"), ["**Q1:** ", "**Q2**", *["**Results**", "**Explanation**"] * 2, "**Conclusion**"]),
    "dotted": report(many("{}. Something of their own"), ["1.1", "1.2", "2.1 Table", "2.2 Answer", "4.1 Table", "4.2 Answer", "5.2 Answer"]),
    "letters": report(many("Task {}"), ["1a)", "1b)", *PLAIN[2:]]),
    "task and question": report(many("Task {}"), ["Task 1 Q1", "Task 1, Q2:", *PLAIN[2:]]),
    "estonian": report(
        many("Ülesanne {}"), ["K1", "K2", *["Tabel 1.", "Vastus:"] * 2, "Selgitus:"]
    ),
    "estonian turned": report(
        many("{}. ülesanne"), ["1. küsimus", "2. küsimus", *["Tulemused:", "Vastus"] * 2, "Vastus"]
    ),
    "estonian words": report(
        ["Esimene ülesanne", "Teine ülesanne", "Kolmas ülesanne", "Neljas ülesanne", "Viies ülesanne"],
        ["Esimene küsimus", "Teine küsimus", *["Tabel", "Järeldus"] * 2, "Järeldus"],
    ),
    "russian": report(many("Задание {}"), ["Вопрос 1", "Вопрос 2", *["Таблица 1", "Ответ:"] * 2, "Ответ"]),
    "questions repeated": report(many("Task {}"), [QUESTION_1, QUESTION_2, *PLAIN[2:]]),
    "all repeated": report(
        many("Task {}"),
        [
            f"1. {QUESTION_1}",
            f"2. {QUESTION_2}",
            "A table comparing DEPTH vs. Step Time.",
            "Does increasing the number of layers improve speed? Explain why or why not\n"
            "based on your observations.",
            "",
            "Are all GPUs being utilized? Does adding more GPUs make the training faster in\n"
            "this specific setup?",
            "What is the relationship between the number of GPUs and the total communication\n"
            "overhead?",
        ],
    ),
    "no heading of a table": report(many("Task {}"), ["Q1", "Q2", "", "Answer:", "", "Answer:", "Answer:"]),
    "explained": report(
        many("Task {}"),
        ["Answer to Q1:", "Answer to Q2:", *["Results table:", "Explanation of results:"] * 2, "Short explanation:"],
    ),
    "contents": "Contents\nTask 1 1\nTask 2 1\nTask 3 2\nTask 4 2\nTask 5 3\n" + report(many("Task {}"), PLAIN),
    "leaders": "".join(f"Task {n} . . . . . . . {n}\n" for n in range(1, 6)) + report(many("Task {}"), PLAIN),
    "overview": "In this report:\nTask 1: Behaviour\nTask 2: Size\nTask 3: GPUs\nTask 4: More\nTask 5: Data\n" + report(many("Task {}"), PLAIN),
    "in a table": "\n".join(
        f"| {line} |" if line.startswith(("Task", "Q")) else line
        for line in report(many("Task {} | Answers"), ["Q1 | " + Q1, "Q2 | " + Q2, *PLAIN[2:]]).split("\n")
        if line not in (Q1, Q2)
    ),
    "numbers within numbers": report(many("{}."), ["Q1.1", "Q1.2", *PLAIN[2:]]),
    "dotted questions": "\n".join([f"Q1.1: {Q1}", f"Q1.2: {Q2}", f"Q2.1 Table\n{ROWS}", f"Q2.2 Answer: {DEEPER}", f"Q3.1 Code\n{CODE}", f"Q3.2 Logic: {LOGIC}", f"Q4.1 Table\n{MEMORY}", f"Q4.2 Answer: {USED}", f"Q5.1: {COUNTS}", f"Q5.2 Answer: {GROWTH}"]),
    "appendix": report(many("Task {}"), PLAIN) + "\nAppendix A\nAll of the code, with Task 1 and " + Q1,
    "out of order": "\n".join(
        report(many("Task {}"), PLAIN).split("Task ")[0:1]
        + [f"Task {part}" for part in reversed(report(many("\nTask {}"), PLAIN).split("\nTask ")[1:])]
    ),
    "as asked": report(
        [f"Task {n}—{t} (3 Points)" for n, t in enumerate(TITLES, 1)],
        [
            "1) Do: Run the provided code.\n2) Answer:\n• Q1) " + QUESTION_1,
            "• Q2) " + QUESTION_2,
            "• Do: Increase DEPTH (e.g., from 6 to 12, then 24).\n• Submit: A table comparing DEPTH vs. Step Time.",
            "• Answer: Does increasing the number of layers improve speed?",
            "• Do: Set DEPTH = 20. Run the code using:\n• 2 GPUs\n• 5 GPUs\n• Submit: A table showing Step Time",
            "• Answer: Are all GPUs being utilized?",
            "• Answer: What is the relationship between the number of GPUs and overhead?",
        ],
    ),
}  # fmt: skip

#: Nothing tells the parts apart: all of the task is given.
WHOLE = {
    "prose": report(many("Task {}"), [""] * 7),
    "prose under titles": report(TITLES, [""] * 7),
}


def asked() -> Asked:
    return words_of(load_rubric(find("hw3")))


@pytest.mark.parametrize("where", WANTED, ids=" ".join)
@pytest.mark.parametrize("style", EXACT)
def test_each_answer_is_found_alone(style: str, where: tuple[str, ...]) -> None:
    found = find_passage(Report("r.pdf", (EXACT[style],)), where, asked())
    assert found is not None
    own = [answer for answer in WANTED[where] if answer in found.text]
    assert own == WANTED[where]
    of_task = OF_TASK[int(where[0][-1])]
    if len(where) == 1:
        allowed = of_task
    elif where[1] == "Answer":
        allowed = (*WANTED[where], ROWS, MEMORY, CODE)  # an answer goes on around a table
    else:
        allowed = tuple(WANTED[where])
    assert [answer for answer in ALL if answer in found.text and answer not in allowed] == []
    assert found.exact


@pytest.mark.parametrize("where", WANTED, ids=" ".join)
@pytest.mark.parametrize("style", WHOLE)
def test_where_nothing_distinguishes_it_is_all_of_the_task(
    style: str, where: tuple[str, ...]
) -> None:
    found = find_passage(Report("r.pdf", (WHOLE[style],)), where, asked())
    assert found is not None
    of_task = OF_TASK[int(where[0][-1])]
    is_table = where[-1] == "Table"
    assert found.exact == (is_table or len(where) == 1)  # rows are a table without a heading too
    expected = WANTED[where] if is_table else of_task
    assert [answer for answer in ALL if answer in found.text] == list(expected)


def test_a_sentence_that_wraps_before_a_task_is_no_heading() -> None:
    long = "The steps get slower with every layer that is added, as was seen in"
    text = f"Task 1\n{Q1}\nTask 2\n{long}\nTask 1. It is the same here.\nQ1. {DEEPER}\nTask 3"
    first = find_passage(Report("r.pdf", (text,)), ["Task 1"])
    second = find_passage(Report("r.pdf", (text,)), ["Task 2"])
    assert first is not None
    assert first.text == f"Task 1\n{Q1}"
    assert second is not None
    assert DEEPER in second.text


def test_questions_and_answers_in_letters() -> None:
    text = f"Task 2\nQ: Does it get faster?\nA: {DEEPER}\nDo:\nTask 3"
    found = find_passage(Report("r.pdf", (text,)), ["Task 2", "Answer"])
    assert found is not None
    assert (found.text, found.exact) == (f"A: {DEEPER}", True)


def test_two_tasks_answered_together() -> None:
    text = f"Task 1\n{Q1}\nTasks 4 and 5\n{USED}\n{GROWTH}\nTask 2 & 3:\n{LOGIC}"
    whole = Report("r.pdf", (text,))
    for where, answer in ((["Task 4"], USED), (["Task 5"], USED), (["Task 2"], LOGIC)):
        found = find_passage(whole, where, asked())
        assert found is not None
        assert answer in found.text
        assert Q1 not in found.text
