"""Attention patterns for models of Hugging Face."""
