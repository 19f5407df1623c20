"""Words that headings of reports are made of, in the languages that students write in.

Generic to all assignments: their own titles and questions are in their rubric.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

#: What a task may be called, the surest words first. Words of a later group count only where
#: no word of an earlier one is found: "Question 1" may be a task, or a part of one.
TASKS = (
    (
        *("task", "tasks", "exercise", "exercises", "ex", "problem", "problems", "assignment"),
        *("ülesanne", "ülesanded", "ulesanne", "ül", "harjutus"),
        *("задание", "задача", "упражнение", "завдання"),
    ),
    ("part", "parts", "section", "step", "osa", "punkt", "часть", "раздел", "t"),
    ("question", "questions", "küsimus", "küsimused", "kusimus", "вопрос", "q"),
)

#: What a question within a task may be called, and its answer.
QUESTIONS = (
    *("q", "question", "küsimus", "kusimus", "k", "вопрос"),
    *("answer", "ans", "a", "vastus", "v", "ответ", "subtask", "alaülesanne"),
)

#: Parts of an answer by what they are; each is known by any of its words.
PARTS: dict[str, tuple[str, ...]] = {
    "do": ("do", "done", "tee", "tehtud", "setup", "method", "выполнение"),
    "submit": ("submit", "submission", "submitted", "esita", "esitatud", "сдать"),
    "code": ("code", "source code", "my code", "modified code", "kood", "lähtekood", "код"),
    "table": (
        *("table", "table of results", "results", "result", "results table", "measurements"),
        *("tabel", "tulemused", "tulemuste tabel", "mõõtmised", "таблица", "результаты"),
    ),
    "answer": (
        *("answer", "answers", "my answer", "vastus", "vastused", "ответ", "ответы"),
        *("explanation", "explain", "explained", "short explanation", "logic", "reasoning"),
        *("selgitus", "seletus", "põhjendus", "põhjus", "объяснение", "why"),
        *("observation", "observations", "discussion", "analysis", "conclusion", "conclusions"),
        *("comment", "comments", "tähelepanek", "tähelepanekud", "arutelu", "analüüs"),
        *("järeldus", "järeldused", "kokkuvõte", "kommentaar", "вывод", "выводы", "анализ"),
    ),
}

#: Headings behind the last answer.
ENDINGS = (
    *("references", "appendix", "appendices", "bibliography", "acknowledgements", "sources"),
    *("viited", "kasutatud kirjandus", "kasutatud allikad", "lisa", "lisad"),
    *("литература", "приложение"),
)

CONTENTS = ("contents", "table of contents", "sisukord", "содержание", "оглавление")

_NUMBERS = {
    1: "one first esimene i üks первый первое первая",
    2: "two second teine ii kaks второй второе вторая",
    3: "three third kolmas iii kolm третий третье третья",
    4: "four fourth neljas iv neli четвертый четвертое четвёртое",
    5: "five fifth viies v viis пятый пятое",
    6: "six sixth kuues vi kuus шестой шестое",
    7: "seven seventh seitsmes vii seitse седьмой",
    8: "eight eighth kaheksas viii kaheksa восьмой",
    9: "nine ninth üheksas ix üheksa девятый",
    10: "ten tenth kümnes x kümme десятый",
}
NUMBER_WORDS = {word: number for number, words in _NUMBERS.items() for word in words.split()}


def any_of(words: Iterable[str]) -> str:
    """A pattern for any of the words, the longest first."""
    return "|".join(map(re.escape, sorted(set(words), key=len, reverse=True)))


def number_of(text: str) -> int | None:
    """2 for "2", "02", "two", "second", "II", "b"; None for what is no number."""
    small = text.lower()
    if small.isdecimal():
        return int(small)
    if small in NUMBER_WORDS:
        return NUMBER_WORDS[small]
    return ord(small) - ord("a") + 1 if len(small) == 1 and "a" <= small <= "h" else None


_ANY_WORD = any_of(
    [w for group in TASKS for w in group]
    + list(QUESTIONS)
    + [w for words in PARTS.values() for w in words]
)
_HEADING = re.compile(
    rf"[\W\d_]*(?:\d+\.?\s+)?(?:{_ANY_WORD})[\s._#-]*(?:\d|[:.)(–—-]|$)", re.IGNORECASE
)


def looks_like_heading(line: str) -> bool:
    """Whether a line may open an answer: it is never dropped as a header or footer."""
    return bool(_HEADING.match(line))
