"""Train translation models with masked sources in fairseq and in Hugging Face."""
