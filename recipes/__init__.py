"""Recipes, which run from a checkout and are not installed."""
