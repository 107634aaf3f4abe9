"""Translation with masked sources, in fairseq and in Hugging Face, from plain parallel text."""
