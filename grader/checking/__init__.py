"""Checks: pytest tests that ask for observations and say what they expect of them."""
