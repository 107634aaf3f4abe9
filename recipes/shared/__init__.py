"""The steps that all recipes share: rows, pieces, training in both frameworks, scores, tables."""
