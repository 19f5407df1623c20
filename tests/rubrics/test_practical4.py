"""Practical 4: answers in many words, under many headings."""

from __future__ import annotations

import pytest

from grader.records import Outcome

RIGHT = {
    "q.easier": [
        "Data parallelism.",
        "Data parallelism is easier to implement: the model stays as it is.",
        "I think data parallelism is easier because we only split the batch.",
        "It is easier to implement data parallelism.",
        "Compared with model parallelism, data parallelism is much simpler.",
        "Answer: Data parallelism, since the same model is used.",
        "The easier one is data-parallel training, we just chunk the batch.",
        "Model parallelism is harder. Data parallelism is straightforward.",
        "Andmeparalleelsus on lihtsam, sest mudelit ei pea muutma.",
        "Lihtsam on andmete paralleelsus.",
        "Data parallelism needs less code: only torch.chunk and torch.cat.",
    ],
    "q.large": [
        "Model parallelism.",
        "Model parallelism helps, because each GPU holds only a part of the model.",
        "When the model does not fit into the memory of one GPU we use model parallelism.",
        "Model parallelism, as the layers are spread over several GPUs.",
        "Data parallelism does not help, every GPU needs the whole model. Model parallelism does.",
        "Mudeliparalleelsus, sest iga GPU hoiab ainult osa mudelist.",
        "Answer: model parallelism (each GPU stores half of the layers)",
        "Only model parallelism is useful for very large models.",
    ],
    "q.overhead": [
        "Communication.",
        "The main overhead is moving data between GPUs.",
        "Transferring the activations from one GPU to the other.",
        "Data has to be copied from GPU 0 to GPU 1 in every forward pass.",
        "The overhead is not computation but communication between devices.",
        "Intermediate results must be sent to the next GPU.",
        "Data transfer (.to(device1)), and meanwhile one GPU is idle.",
        "Andmete liigutamine GPU-de vahel.",
        "Peamine lisakulu on andmeedastus kaartide vahel.",
        "The inter-GPU transfers.",
    ],
}

WRONG = {
    "q.easier": [
        "Model parallelism is easier, because the layers are simply put on other GPUs.",
        "Model parallelism, because no data has to be split.",
        "Model parallelism is the easier one.",
        "I find that model parallelism is simpler than data parallelism.",
        "Data parallelism is harder to implement.",
        "Mudeliparalleelsus on lihtsam.",
        "Data parallelism is not easier.",
        "Both are the same.",
    ],
    "q.large": [
        "Data parallelism helps, each GPU gets a smaller batch.",
        "Data parallelism, because each GPU processes less data.",
        "A smaller batch size.",
        "Model parallelism does not help.",
    ],
    "q.overhead": [
        "The gradients have to be averaged with all-reduce.",
        "Memory.",
        "There is no communication overhead.",
        "The Python interpreter.",
    ],
}


def of(answers: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(criterion, text) for criterion, texts in answers.items() for text in texts]


@pytest.mark.parametrize(("criterion", "text"), of(RIGHT))
def test_a_right_answer_is_suggested_as_right(criterion, text, outcomes):
    assert outcomes("practical4", criterion, text) == {Outcome.PASSED}


@pytest.mark.parametrize(("criterion", "text"), of(WRONG))
def test_a_wrong_answer_is_not(criterion, text, outcomes):
    assert Outcome.PASSED not in outcomes("practical4", criterion, text)


QUESTIONS = (
    "Which approach is easier to implement?",
    "Which approach helps when the model is too large?",
    "What is the main overhead in model parallelism?",
)
ANSWERS = ("Data parallelism is easier.", "Model parallelism helps.", "Communication costs time.")
PARTS = (
    "Practical 4\nPart 1: Baseline (Single GPU)\nOutput shape: torch.Size([64, 1000])\n"
    "Part 2: Simulated Data Parallelism\n1. The batch is split.\n2. The outputs are joined.\n"
    "Part 3: Simulated Model Parallelism\nThe second layer is on cuda:1.\n"
)
Q1, Q2, Q3 = zip(QUESTIONS, ANSWERS, strict=True)

REPORTS = {
    "headings": f"{PARTS}## Questions\n**Q1.** {ANSWERS[0]}\n**Q2.** {ANSWERS[1]}\n"
    f"**Q3.** {ANSWERS[2]}\n",
    "a list": f"{PARTS}Questions:\n1. {ANSWERS[0]}\n2. {ANSWERS[1]}\n3. {ANSWERS[2]}",
    "a list of short answers": f"{PARTS}Part 4: Questions\n1) Data parallelism\n2) Model "
    "parallelism\n3) Communication",
    "questions repeated": f"{PARTS}Questions\n{Q1[0]}\n{Q1[1]}\n{Q2[0]}\n{Q2[1]}\n{Q3[0]}\n{Q3[1]}",
    "questions repeated, no heading": f"{PARTS}• {Q1[0]}\n{Q1[1]}\n• {Q2[0]}\n{Q2[1]}\n• {Q3[0]}\n"
    f"{Q3[1]}",
    "questions only": "\n".join([*Q1, *Q2, *Q3]),
    "numbered questions only": f"Question 1: {Q1[0]}\n{Q1[1]}\nQuestion 2: {Q2[0]}\n{Q2[1]}\n"
    f"Question 3: {Q3[0]}\n{Q3[1]}",
    "questions and answers": f"{PARTS}Questions\nQ1: {Q1[0]}\nAnswer: {Q1[1]}\n"
    f"Q2: {Q2[0]}\nAnswer: {Q2[1]}\nQ3: {Q3[0]}\nAnswer: {Q3[1]}",
    "in Estonian": f"{PARTS}Küsimused\n1. Andmeparalleelsus.\n2. Mudeliparalleelsus.\n3. Andmete "
    "liigutamine.",
    "Q without a heading": f"{PARTS}Q1 {ANSWERS[0]}\nQ2 {ANSWERS[1]}\nQ3 {ANSWERS[2]}",
}


@pytest.mark.parametrize("style", REPORTS)
def test_each_answer_is_found_alone(style, found, outcomes):
    for criterion in ("q.easier", "q.large", "q.overhead"):
        answer = found("practical4", criterion, REPORTS[style])
        assert answer is not None, criterion
        assert outcomes("practical4", criterion, answer) == {Outcome.PASSED}
        others = {Q1[1], Q2[1], Q3[1]} - {dict(zip(RIGHT, ANSWERS, strict=True))[criterion]}
        assert not [other for other in others if other in answer]


def test_a_list_of_parts_is_no_list_of_answers(found):
    report = (
        "1. Baseline\nOne GPU.\n2. Data parallelism\nTwo chunks.\n3. Model parallelism\nTwo GPUs."
    )
    assert found("practical4", "q.easier", report) is None
