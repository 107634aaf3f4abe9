"""The built-in strategies, one family per file; most are one expression."""
