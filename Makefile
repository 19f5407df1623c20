# `make check` is everything that CI runs.

TORCH ?= 2.13.0

.PHONY: check lint types layers test reference demo opinfo fuzz test-cuda-build

check: lint types layers test reference

lint:
	ruff format --check .
	ruff check .

types:
	mypy

layers:
	lint-imports

# Three files at a time, for tests often wait; plain `pytest` runs the same, one after the other.
test:
	pytest -n 3 --dist loadfile

# Rubrics, checks, reference solutions and wrong hand-ins: all points, what they lose, or red.
reference:
	rm -rf build/reference
	grade check-assignment --jobs 4 --out build/reference $(notdir $(wildcard rubrics/*))
	python tests/assert_explained.py build/reference/hw3 rubrics/hw3/wrong

# The invented class, as a new instructor would grade it.
demo:
	grade submissions

# PyTorch's own database of operators, all of it, on virtual GPUs against the CPU.
opinfo:
	pytest tests/vgpu/opinfo -ra

# Damaged classes and damaged reports; another set of them with SEED=2, one of them with --only.
SEED ?= 1
fuzz:
	python tests/fuzz/fuzz_intake.py 20000 --seed $(SEED)
	python tests/fuzz/fuzz_reports.py 20000 --seed $(SEED)
	python tests/fuzz/bombs.py

# The virtual GPUs on the build of torch that most Linux users have, CUDA's, without a GPU; another
# version with TORCH=2.9.1. pip's settings are put aside because they may name a CPU build.
test-cuda-build: PIP = env -u PIP_FIND_LINKS PIP_CONFIG_FILE=/dev/null build/torch-$(TORCH)/bin/pip
test-cuda-build:
	python3 -m venv build/torch-$(TORCH)
	grep -v ^torch== constraints.txt > build/constraints-$(TORCH).txt
	$(PIP) install --quiet 'torch==$(TORCH)'
	$(PIP) install --quiet --constraint build/constraints-$(TORCH).txt --editable '.[dev]'
	build/torch-$(TORCH)/bin/python -c 'import torch; assert torch.version.cuda, "a CPU build"'
	build/torch-$(TORCH)/bin/python -m pytest tests/vgpu -ra
