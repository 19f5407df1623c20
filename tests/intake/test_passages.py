from __future__ import annotations

import time

import pytest

from grader.intake import Asked, find_passage
from grader.records import Report


def find(report: Report, where: list[str]) -> str | None:
    found = find_passage(report, where)
    return found.text if found else None


REPORT = Report(
    "report.pdf",
    (
        """Home Work 3
Contents
Task 1 - Current Behaviour ........ 1
Task 2 - Increase Model Size . . . . . 2
In Task 1 and Task 2 the base code was used.
Task 1 – Current Behaviour (3 Points)
Q1) How many layers are assigned?
3 layers on GPU 0 and 3 on GPU 1. In
Task 1 we used DEPTH = 6, unlike
Q2, which asks for the place.
Q2) At what point does the data move?
At x = x.to(layer_device), be\ufb01ore layer 3.""",
        """TASK 2. Increase Model Size
Do: increased DEPTH.
Table 1: DEPTH vs step time
DEPTH Step time (ms)
6 10.1
12 20.3
24 41.0
Answer: No, more layers do not make it faster.
Table 1 shows that time grows with DEPTH.
Task 3: Use All GPUs
Answer
The index is i * n // depth.
Task 4
2 GPUs 40 ms 100 MB
5 GPUs 41 ms 45 MB
Table 2. Step time and memory
Answer:
All GPUs are used, one at a time.
Task 10
Not asked.""",
    ),
)


@pytest.mark.parametrize(
    ("where", "found"),
    [
        (
            ["Task 1", "Q1"],
            "Q1) How many layers are assigned?\n"
            "3 layers on GPU 0 and 3 on GPU 1. In\n"
            "Task 1 we used DEPTH = 6, unlike\n"
            "Q2, which asks for the place.",
        ),
        (
            ["Task 1", "Q2"],
            "Q2) At what point does the data move?\nAt x = x.to(layer_device), befiore layer 3.",
        ),
        (
            ["Task 2", "Table"],
            "Table 1: DEPTH vs step time\nDEPTH Step time (ms)\n6 10.1\n12 20.3\n24 41.0",
        ),
        (
            ["Task 2", "Answer"],
            "Answer: No, more layers do not make it faster.\n"
            "Table 1 shows that time grows with DEPTH.",
        ),
        (["Task 2", "Do/Submit"], "Do: increased DEPTH."),
        (["Task 3"], "Task 3: Use All GPUs\nAnswer\nThe index is i * n // depth."),
        (["Task 4", "Answer"], "Answer:\nAll GPUs are used, one at a time."),
        (["Task 10"], "Task 10\nNot asked."),
    ],
)
def test_the_part_that_is_asked_for(where: list[str], found: str) -> None:
    assert find(REPORT, where) == found


def test_a_caption_below_its_table_gives_the_whole_task() -> None:
    assert find(REPORT, ["Task 4", "Table"]) == find(REPORT, ["Task 4"])
    assert "5 GPUs 41 ms" in (find(REPORT, ["Task 4", "Table"]) or "")


def test_without_the_inner_heading_it_is_the_outer_part() -> None:
    assert find(REPORT, ["Task 3", "Q7"]) == find(REPORT, ["Task 3"])


def test_without_the_outer_heading_there_is_nothing() -> None:
    assert find(REPORT, ["Task 5", "Answer"]) is None
    assert find(Report(problem="a scan"), ["Task 1"]) is None


@pytest.mark.parametrize(
    "heading",
    [
        "Task 1",
        "TASK 1.",
        "task 1:",
        "Task1",
        "Task #1",
        "Task No. 1",
        "Task-1",
        "Task 1—Current Behavior (3 Points)",
        "Task 1 - current behavior",
        "Task 1 Current Behaviour",
        "Task 1) 3 and 3",
        "1. Task 1",
        "2.1 Task 1: splitting",
        "• Task 1",
        "## Task 1",
        "**Task 1**",
        "**Task 1:** the base code",
        "  Task\u00a01 ",
        "Answers to Task 1",
        "Task 01",
        "Task 1a",
    ],
)
def test_headings_in_many_hands(heading: str) -> None:
    report = Report(pages=(f"before\n{heading}\ninside\nTask 2\nafter",))
    found = find(report, ["Task 1"])
    assert found is not None
    assert found.split("\n")[1:] == ["inside"]


@pytest.mark.parametrize(
    "line",
    [
        "Task 1 shows that",
        "Task 1, as we saw",
        "Task 12",
        "Task 1's answer",
        "In Task 1:",
        "Multitask 1",
        "Task 1 .......... 3",
    ],
)
def test_running_text_is_no_heading(line: str) -> None:
    assert find(Report(pages=(f"before\n{line}\nafter",)), ["Task 1"]) is None


@pytest.mark.parametrize(
    "heading", ["Q1", "Q1)", "q1:", "Q.1 How many?", "Question 1", "1) Q1)", "Answer to Q1:"]
)
def test_questions_in_many_hands(heading: str) -> None:
    report = Report(pages=(f"Task 1\nQ2: later\n{heading}\n3 and 3\nQ3\nTask 2",))
    assert find(report, ["Task 1", "Q1"]) == f"{heading}\n3 and 3"


@pytest.mark.parametrize(
    "heading", ["Answer", "ANSWER:", "Answer. No.", "2) Answer - no", "**Answer** No", "Answer No."]
)
def test_answers_in_many_hands(heading: str) -> None:
    lines = ["Do: run", "Answers both questions", "Answering Them", heading, "It is slow."]
    report = Report(pages=("Task 2\n" + "\n".join(lines) + "\nSubmit:\nfiles",))
    assert find(report, ["Task 2", "Answer"]) == f"{heading}\nIt is slow."


def test_parts_under_a_repeated_heading_come_in_order() -> None:
    report = Report(pages=("\nTask 1\na\nTask 2\nb", "Task 1 (continued)\nc\n"))
    assert find(report, ["Task 1"]) == "Task 1\na\nTask 1 (continued)\nc"
    found = find_passage(report, ["Task 1"])
    assert found is not None
    assert (found.page, found.pages) == (1, (1, 1, 2, 2))


@pytest.mark.parametrize(
    "hostile", ["1." * 200_000, "." * 400_000, "a) " * 130_000, "\n" * 400_000]
)
def test_hostile_text_takes_no_time(hostile: str) -> None:
    start = time.perf_counter()
    assert find(Report(pages=(hostile,)), ["Task 1", "Answer"]) is None
    assert time.perf_counter() - start < 2


def test_titles_and_numbers_alone_go_together() -> None:
    """Some headings are the titles of the tasks, the others have but their number."""
    text = (
        "1. Current behaviour\n3 and 3.\n2. A bigger model\nIt is slower.\n"
        "3. Many GPUs\ni * n // depth\n4. DEPTH 20\nNot faster.\n5. Data transfer\n1 and 4."
    )
    titles = [["Current behaviour"], ["Increase the model size"], ["Use all GPUs"],
              ["Run with more GPUs"], ["Data transfer"]]  # fmt: skip
    found = find_passage(Report("r.pdf", (text,)), ["Task 2"], Asked(titles))
    assert found is not None
    assert found.text == "2. A bigger model\nIt is slower."


EASIER, LARGE = "Which approach is easier to implement?", "Which one helps with large models?"
QUESTIONS = Asked(
    titles=[["Baseline"], ["Questions", "Answers to the questions"]],
    questions={("Questions", "Q1"): [EASIER], ("Questions", "Q2"): [LARGE]},
)
TITLED = "Part 1: Baseline\nQ1 of the lab.\n{}\n1. The first.\n2. The second.\nReferences\nNone."


@pytest.mark.parametrize(
    "heading", ["Questions", "## Questions:", "Part 2: Questions", "3. Answers to the questions"]
)
def test_the_outer_heading_may_be_the_title_of_a_task(heading: str) -> None:
    report = Report("r.pdf", (TITLED.format(heading),))
    found = find_passage(report, ["Questions", "Q2"], QUESTIONS)
    assert found is not None
    assert (found.text, found.exact) == ("2. The second.", True)


def test_a_short_answer_that_is_a_title_ends_nothing() -> None:
    report = Report("r.pdf", ("Questions\nQ1\nBaseline\nis easier.\nQ2\nThe other.",))
    found = find_passage(report, ["Questions", "Q1"], QUESTIONS)
    assert found is not None
    assert found.text == "Q1\nBaseline\nis easier."


@pytest.mark.parametrize("where", [["Questions", "Q1"], ["Task 7", "Q1"]], ids=" ".join)
def test_without_the_outer_heading_the_question_itself_is_one(where: list[str]) -> None:
    asked = Asked(questions={tuple(where): [EASIER], ("Task 8", "Q1"): [LARGE]})
    text = f"One model.\n1. {EASIER}\nThis one.\n2. {LARGE}\nThat one.\nReferences\nNone."
    found = find_passage(Report("r.pdf", (text,)), where, asked)
    assert found is not None
    assert (found.text, found.exact) == (f"1. {EASIER}\nThis one.", True)


def test_without_the_outer_heading_a_number_is_one_only_where_no_task_has_it() -> None:
    report = Report("r.pdf", ("One model.\nQ1: This.\nQ2: That.",))
    found = find_passage(report, ["Questions", "Q1"], QUESTIONS)
    assert found is not None
    assert found.text == "Q1: This."
    assert find_passage(report, ["Task 7", "Q1"]) is None


def test_a_list_is_no_list_of_answers_without_a_heading() -> None:
    report = Report("r.pdf", ("1. We built it.\n2. We ran it.",))
    assert find_passage(report, ["Questions", "Q1"], QUESTIONS) is None
