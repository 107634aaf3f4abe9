"""The ``maskplug`` command."""
