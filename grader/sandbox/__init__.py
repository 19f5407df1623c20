"""Runs a hand-in in a process of its own, which reports what it saw and decides nothing."""
