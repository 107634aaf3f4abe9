"""The named strategies, by family; most are one expression."""
