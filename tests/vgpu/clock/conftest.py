"""The simulated folder needs a process of its own; test_simulated.py starts it."""

collect_ignore = ["simulated"]
