"""Helpers of single objectives: ELECTRA, XLNet, TLM, reconstruction."""
