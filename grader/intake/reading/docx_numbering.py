"""The numbers that Word puts before paragraphs, which are nowhere in its text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_ROMAN = ((10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))


@dataclass
class Level:
    """How items of one level of a list look: "%1.%2)" in decimal, from 1 on."""

    form: str = "decimal"
    text: str = ""
    start: int = 1


@dataclass
class Numbering:
    """Lists by number: which definition they follow, and how far they have come."""

    definitions: dict[str, dict[int, Level]] = field(default_factory=dict)
    lists: dict[str, str] = field(default_factory=dict)  # a list's id: its definition's
    restarts: dict[str, dict[int, int]] = field(default_factory=dict)
    _counts: dict[str, dict[int, int]] = field(default_factory=dict)

    def label(self, list_id: str, level: int) -> str:
        """The label of the next item: "2.", "b)", "•"; empty where the list is not known."""
        definition = self.lists.get(list_id)
        levels = self.definitions.get(definition or "", {})
        if definition is None or level not in levels:
            return ""
        if levels[level].form == "bullet":
            return "•"
        if levels[level].form == "none":
            return ""
        # Lists of one definition count on, unless one says where it starts.
        counts = self._counts.setdefault(
            list_id if list_id in self.restarts else f"of {definition}", {}
        )
        start = self.restarts.get(list_id, {}).get(level, levels[level].start)
        counts[level] = counts.get(level, start - 1) + 1
        for deeper in [n for n in counts if n > level]:
            del counts[deeper]

        def counted(found: re.Match[str]) -> str:
            n = int(found[1]) - 1
            its = levels.get(n, Level())
            return _written(counts.get(n, its.start), its.form)

        return re.sub(r"%(\d)", counted, levels[level].text)


def _written(number: int, form: str) -> str:
    if form in ("lowerLetter", "upperLetter") and 1 <= number <= 26:
        letter = chr(ord("a") + number - 1)
        return letter if form == "lowerLetter" else letter.upper()
    if form in ("lowerRoman", "upperRoman") and 1 <= number <= 30:
        text = ""
        for value, letters in _ROMAN:
            text += letters * (number // value)
            number %= value
        return text if form == "lowerRoman" else text.upper()
    return str(number)
