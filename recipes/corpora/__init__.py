"""The recipes' corpora, made from what apt knows of the packages: ``python -m recipes.corpora``."""
