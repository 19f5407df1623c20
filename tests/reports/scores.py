"""Scores as grading makes them, for the tests of what is made from a score."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

from grader.records import CriterionScore, Json, Kind, Outcome, Score, State, Student, TaskTitle

TASKS = (
    TaskTitle("t1", "Current behaviour"),
    TaskTitle("t3", "Use all GPUs"),
    TaskTitle("t4", "Run with more GPUs"),
    TaskTitle("t5", "Data transfer"),
)


def criterion(id_: str, points: float = 1.0, earned: float | None = None, **more: Any):
    """One criterion; pending where `earned` is None, else final."""
    if earned is None:
        more = {"state": State.PENDING, "outcome": None} | more
    else:
        outcome = Outcome.PASSED if earned >= points else Outcome.FAILED
        more = {
            "state": State.FINAL,
            "outcome": Outcome.PARTIAL if 0 < earned < points else outcome,
        } | more
    defaults = {"evidence": "seen", "task": id_.partition(".")[0], "title": f"About {id_}"}
    return CriterionScore(id_, points, earned, **(defaults | more))


def forward(gpus: int, placement: list[int], depth: int = 20, **more: Any) -> Json:
    hops = sum(a != b for a, b in pairwise(placement))
    return {
        "probe": "forward",
        "dim": 64,
        "depth": depth,
        "gpus": gpus,
        "placement": placement,
        "transfers": {"gpu_to_gpu": hops, "host_to_gpu": 0, "gpu_to_host": 0},
        "to_calls": depth,
    } | more


def train(gpus: int, losses: list[float], memory: list[int], depth: int = 20, **more: Any) -> Json:
    return {
        "probe": "train",
        "depth": depth,
        "gpus": gpus,
        "trained": True,
        "losses": losses,
        "memory_bytes": memory,
    } | more


def observations() -> tuple[Json, ...]:
    losses = [2.3132, 1.8714, 1.5321, 1.2903, 1.1388]
    return (
        forward(1, [0] * 30, depth=30),
        forward(2, [0] * 10 + [1] * 10),
        forward(5, [layer // 4 for layer in range(20)]),
        forward(3, [0, 0, 0, 1, 1, 2, 2], depth=7),
        train(2, losses, [712_704, 731_136]),
        train(5, losses, [290_816, 284_672, 284_672, 284_672, 301_056]),
    )


def mixed() -> Score:
    """Some code points, some partial, the report's answers waiting for a person."""
    answer = "GPU 0 has 3 layers and GPU 1 has 3 layers because DEPTH // 2 = 3."
    return Score(
        submission="s07",
        student=Student("s07", "Õnne Žukova"),
        assignment="hw3",
        grader="0.1.0",
        devices="virtual",
        graded_at="2026-05-01T08:00:00+00:00",
        title="Home Work 3: Layer-wise Model Parallelism",
        tasks=TASKS,
        criteria=(
            criterion("t1.q1", 1.5, kind=Kind.WRITTEN, found=answer, title="Layers per GPU"),
            criterion("t3.detect", 1, 1.0, evidence="DEPTH 30 used exactly 1, 2, 3 and 5 GPUs."),
            criterion(
                "t3.even",
                1,
                0.5,
                title="Layers are spread evenly",
                evidence="20 layers on 5 GPUs: 4, 4, 4, 4, 4. 7 layers on 3 GPUs: 2, 2, 3.",
                where="hw3.py, line 20: layer = layer.to(f'cuda:{gpu}')",
                hint="let i * n // depth choose the GPU.",
                operator="Traceback (most recent call last): SECRET",
            ),
            criterion("t3.explain", 1, kind=Kind.WRITTEN, evidence="Nothing found for it."),
            criterion("t4.run", 1, 0.0, outcome=Outcome.BLOCKED, evidence="It did not train."),
            criterion("t4.table", 1, kind=Kind.TABLE, found="GPUs time memory\n2 0.031 812 MB"),
            criterion("t5.counts", 1.5, outcome=Outcome.ERROR, operator="our crash"),
        ),
        observations=observations(),
        notes=("The script pinned CUDA_VISIBLE_DEVICES; the pin was lifted for the probes.",),
    )


def named(name: str | None, id_: str = "s07") -> Score:
    return replace(mixed(), student=Student(id_, name))
