"""Grades multi-GPU PyTorch homework on real or virtual GPUs."""

__version__ = "0.1.0"
