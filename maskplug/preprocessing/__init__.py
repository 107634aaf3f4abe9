"""Corpus tools: n-grams, alignments, salience, word segmentation and option files."""
