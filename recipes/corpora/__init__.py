"""Build the corpora of the recipes from package descriptions: ``python -m recipes.corpora``."""
