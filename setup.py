"""Takes the assignments along: they live beside the package, and must be in it when installed.

Everything else about the build is in pyproject.toml.
"""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

PARTS = ("rubrics", "reference", "student_template")


class BuildWithAssignments(build_py):
    """`build_py`, then a copy of the assignment folders into `grader/assignments/`."""

    def run(self):
        super().run()
        if self.editable_mode:
            return  # a checkout finds them where they are
        for part in PARTS:
            target = Path(self.build_lib, "grader", "assignments", part)
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(part, target, ignore=shutil.ignore_patterns("__pycache__"))


setup(cmdclass={"build_py": BuildWithAssignments})
