"""Measurements against the peers, both sides in one process. No test asserts a time."""
