"""PDF reports: what a student reads of a `Score`, and what an instructor reads of a class."""

from grader.reports.class_facts import ByHand, ClassFacts, Counted
from grader.reports.class_pdf import render_class_pdf
from grader.reports.pdf import render_pdf, write_report
from grader.reports.sections import Column, Section

__all__ = [
    "ByHand",
    "ClassFacts",
    "Column",
    "Counted",
    "Section",
    "render_class_pdf",
    "render_pdf",
    "write_report",
]
