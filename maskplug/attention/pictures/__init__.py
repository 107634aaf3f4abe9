"""Masks to look at: what is shown, in a terminal and in a file."""
