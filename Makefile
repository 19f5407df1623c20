# `make check` is everything that CI runs.

.PHONY: check lint types layers test reference demo

check: lint types layers test reference

lint:
	ruff format --check .
	ruff check .

types:
	mypy

layers:
	lint-imports

test:
	pytest

# The reference solutions, through the same checks as everybody: full code points, or red.
reference:
	rm -rf build/reference
	grade reference --out build/reference
	python tests/assert_full_code_points.py build/reference

# The invented class, as a new instructor would grade it.
demo:
	grade submissions
