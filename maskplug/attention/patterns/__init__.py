"""The built-in patterns, one idea per file."""
