"""PDF score reports: what a student reads. In: a `Score`. Out: one A4 document of 2-3 pages."""

from grader.reports.pdf import render_pdf, write_report

__all__ = ["render_pdf", "write_report"]
