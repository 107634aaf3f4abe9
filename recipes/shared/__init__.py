"""The steps of all recipes: rows, pieces, training in both frameworks, scores and tables."""
