"""A score's criteria, grouped by task."""

from __future__ import annotations

from dataclasses import dataclass

from grader.records import CriterionScore, Score, State


@dataclass(frozen=True)
class Task:
    """A task with its criteria; points are sums, and only final ones are earned."""

    id: str
    title: str
    criteria: tuple[CriterionScore, ...]

    @property
    def earned(self) -> float:
        return sum(c.earned or 0.0 for c in self.criteria if c.state is State.FINAL)

    @property
    def waiting(self) -> float:
        return sum(c.points for c in self.criteria if c.state is not State.FINAL)

    @property
    def possible(self) -> float:
        return sum(c.points for c in self.criteria)


def tasks(score: Score) -> list[Task]:
    """Tasks in the rubric's order, each with its criteria; those without criteria left out."""
    titles = {task.id: task.title for task in score.tasks}
    order = [*titles, *(c.task for c in score.criteria if c.task not in titles)]
    grouped = (
        Task(task, titles.get(task, ""), tuple(c for c in score.criteria if c.task == task))
        for task in dict.fromkeys(order)
    )
    return [task for task in grouped if task.criteria]
