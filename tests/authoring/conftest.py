"""What tests of this part share: assignments of a few lines, without hand-ins to be graded."""

from __future__ import annotations

import pytest

from grader.assignment import Assignment


@pytest.fixture
def write(tmp_path):
    """An assignment of this rubric and these checks, by file; its other folders are there."""

    def with_text(rubric, **checks):
        assignment = Assignment("x", tmp_path / "home")
        for folder in (assignment.checks, assignment.reference, assignment.template):
            folder.mkdir(parents=True)
        assignment.rubric.write_text(rubric)
        (assignment.template / "assignment.toml").write_text('assignment = "x"\n')
        for name, text in checks.items():
            (assignment.checks / f"{name}.py").write_text(f"import pytest\n\n{text}")
        return assignment

    return with_text
