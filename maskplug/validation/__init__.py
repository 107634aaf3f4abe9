"""Checks of arguments, options, batches and classes of plugins."""
