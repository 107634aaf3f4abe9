"""Plugin loading and the observers of masked batches."""

from maskplug.plugins.manager import Plugin, Plugins, load, plugins, registry

__all__ = ["Plugin", "Plugins", "load", "plugins", "registry"]
