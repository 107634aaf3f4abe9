"""Finds plugins, keeps broken ones from breaking the rest, and remembers where each came from.

pluggy's own entry-point loader stops at the first plugin that raises, so they are loaded here one
by one. ``MASKPLUG_LOAD_PLUGINS=a,b`` limits loading to these entry points or distributions (empty:
none); ``MASKPLUG_STRICT_PLUGINS=1`` raises instead of warning.
"""

from __future__ import annotations

import inspect
import os
import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import EntryPoint, distributions
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pluggy

from maskplug import hookspecs
from maskplug.errors import MaskplugWarning, PluginError, did_you_mean
from maskplug.registry import BUILTIN, Entry, Registry

if TYPE_CHECKING:
    from maskplug.strategy import Context
    from maskplug.tokens import Masked

_loading: list[bool] = []
_lock = threading.RLock()


@dataclass(frozen=True)
class Plugin:
    """One entry point of the group ``maskplug`` and what became of it."""

    name: str
    distribution: str
    version: str
    error: str | None = None

    @property
    def label(self) -> str:
        """Distribution and version, for messages."""
        return f"{self.distribution} {self.version}"


@dataclass
class Plugins:
    """What was found: the hooks, the registry that they filled, and a record of each plugin."""

    manager: pluggy.PluginManager
    registry: Registry
    found: list[Plugin] = field(default_factory=list)
    #: Observers that raised: they are not called any more.
    silenced: set[str] = field(default_factory=set)

    def after_mask(self, masked: Masked, context: Context) -> None:
        """Show a masked batch to all observers; one that raises is reported once and left out."""
        offered = {"masked": masked, "context": context}
        for impl in self.manager.hook.maskplug_after_mask.get_hookimpls():
            if impl.plugin_name in self.silenced:
                continue
            try:
                impl.function(*(offered[name] for name in impl.argnames))
            except Exception as error:
                if _strict():
                    raise
                self.silenced.add(impl.plugin_name)
                warnings.warn(
                    f"plugin {impl.plugin_name} raised in maskplug_after_mask and is no longer "
                    f"called: {type(error).__name__}: {error}",
                    MaskplugWarning,
                    stacklevel=3,
                )


def plugins() -> Plugins:
    """The plugins of this process: built-ins, then entry points, loaded at the first call."""
    with _lock:
        return _load_once()


@cache
def _load_once() -> Plugins:
    if _loading:
        raise PluginError("a plugin asked for a strategy while it was loading; do so in a factory")
    _loading.append(True)
    try:
        return load(_entry_points())
    finally:
        _loading.clear()


def registry() -> Registry:
    """The registry of this process."""
    return plugins().registry


def load(entry_points: list[tuple[EntryPoint, str, str]]) -> Plugins:
    """Load the built-ins and these entry points (each with its distribution's name and version).

    Raises:
        PluginError: when a plugin fails and ``MASKPLUG_STRICT_PLUGINS`` is set.
    """
    from maskplug import builtins

    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    loaded = Plugins(manager, Registry())
    _admit(loaded, builtins, BUILTIN, BUILTIN)
    for entry_point, distribution, version in entry_points:
        if not _wanted(entry_point.name, distribution):
            continue
        plugin = Plugin(entry_point.name, distribution, version)
        try:
            _admit(loaded, entry_point.load(), f"{distribution}:{entry_point.name}", distribution)
        except Exception as error:
            if _strict():
                raise PluginError(f"plugin {plugin.label}: {error}") from error
            plugin = _report(loaded, plugin, error)
        loaded.found.append(plugin)
    return loaded


def _admit(loaded: Plugins, module: ModuleType | Any, name: str, provider: str) -> None:
    """Check a plugin's hooks and let it register; on failure nothing of it stays behind."""
    _check_hooks(module)
    if loaded.manager.is_registered(module):
        raise PluginError("its module is loaded already, through another entry point")
    own = Registry()
    before = len(loaded.registry.entries)

    def register(kind: str, name: str, factory: Callable[..., object], version: int = 1) -> None:
        own.add(Entry(kind, name, version, factory, provider))

    try:
        loaded.manager.register(module, name=name)
        hook = loaded.manager.subset_hook_caller(
            "maskplug_register",
            [p for p in loaded.manager.get_plugins() if p is not module],
        )
        hook(register=register)
        for entry in own.entries:
            loaded.registry.add(entry)
    except BaseException:
        if loaded.manager.is_registered(module):  # newer pluggy keeps none of it itself
            loaded.manager.unregister(module)
        del loaded.registry.entries[before:]
        raise


def _check_hooks(module: Any) -> None:
    specified = [name for name in dir(hookspecs) if name.startswith("maskplug_")]
    for name in dir(module):
        member = getattr(module, name)
        marked = inspect.isroutine(member) and hasattr(member, "maskplug_impl")
        if isinstance(member, ModuleType) or not (marked or name.startswith("maskplug_")):
            continue
        if name not in specified:
            raise PluginError(f"{name!r} is not a hook{did_you_mean(name, specified)}")
        if not marked:
            raise PluginError(f"{name!r} lacks the decorator @maskplug.hookimpl")


def _report(loaded: Plugins, plugin: Plugin, error: Exception) -> Plugin:
    reason = f"{type(error).__name__}: {error}"
    loaded.registry.failures[plugin.label] = reason
    warnings.warn(
        f"maskplug plugin {plugin.label} (entry point {plugin.name!r}) failed to load and is left "
        f"out: {reason}. Everything else works. See 'maskplug plugins'; "
        "MASKPLUG_STRICT_PLUGINS=1 shows the traceback.",
        MaskplugWarning,
        stacklevel=3,
    )
    return Plugin(plugin.name, plugin.distribution, plugin.version, reason)


def _strict() -> bool:
    return os.environ.get("MASKPLUG_STRICT_PLUGINS", "") not in ("", "0")


def _wanted(name: str, distribution: str) -> bool:
    limit = os.environ.get("MASKPLUG_LOAD_PLUGINS")
    return limit is None or bool({name, distribution} & {w.strip() for w in limit.split(",")})


def _entry_points() -> list[tuple[EntryPoint, str, str]]:
    found: dict[tuple[str, str], tuple[EntryPoint, str]] = {}
    for distribution in distributions():
        for entry_point in distribution.entry_points:
            if entry_point.group == hookspecs.PROJECT:
                name = distribution.metadata["Name"] or "(unnamed)"
                # A distribution seen twice on the path (an editable install) counts once.
                found.setdefault((name, entry_point.name), (entry_point, distribution.version))
    return [(point, name, version) for (name, _), (point, version) in sorted(found.items())]
