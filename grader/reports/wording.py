"""The sentences of a report, composed by jinja2 from templates/wording.txt."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.environment import TemplateModule


def say(sentence: str, *values: Any) -> str:
    """Plain text of the macro `sentence`, called with `values`."""
    return str(getattr(_sentences(), sentence)(*values)).strip()


@cache
def _sentences() -> TemplateModule:
    # Plain text, not HTML: `text.markup` escapes whatever is printed.
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701
    )
    environment.filters["points"] = points
    return environment.get_template("wording.txt").module


def points(value: float) -> str:
    """1.5, 2 or 0.33: no digit too many."""
    return f"{round(value, 2):g}"
