"""Corpus tools: n-grams, alignments, salience, word segmentation, option files."""
