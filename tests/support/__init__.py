"""Helpers of the tests: data, reference implementations, models and runs."""
