"""The plugin manager: load plugins one by one and report those that fail.

pluggy's loader of entry points stops at the first plugin that raises. ``MASKPLUG_LOAD_PLUGINS=a,b``
limits loading to these entry points or distributions (empty: none); ``MASKPLUG_STRICT_PLUGINS=1``
raises instead of warning.
"""

from __future__ import annotations

import inspect
import os
import threading
import warnings
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import import_module
from importlib.metadata import Distribution, EntryPoint, distributions
from types import ModuleType
from typing import Any, NamedTuple

from maskplug import hookspecs
from maskplug.context import MaskingEvent
from maskplug.errors import PASSED_ON, MaskplugWarning, PluginError, described, did_you_mean
from maskplug.plugins.observers import Hooks, observer_arguments
from maskplug.registry import BUILTIN, Entry, Registry
from maskplug.tokens import Masked

#: Modules whose hooks register the built-in parts and strategies.
DEFAULT_PLUGINS = ("maskplug.builtins",)

_loading: list[bool] = []
_lock = threading.RLock()


class Provided(NamedTuple):
    """An entry point of the group ``maskplug`` with the name and version of its distribution."""

    entry_point: EntryPoint
    distribution: str
    version: str


class Unreadable(NamedTuple):
    """A distribution whose entry points cannot be read: name (or path), version and error."""

    distribution: str
    version: str
    error: Exception


def entry_points() -> tuple[list[Provided], list[Unreadable]]:
    """Return the entry points of the group ``maskplug``, and the unreadable distributions."""
    provided: dict[tuple[str, str], Provided] = {}
    unreadable: dict[str, Unreadable] = {}
    for distribution in distributions():
        try:
            points = [p for p in distribution.entry_points if p.group == hookspecs.PROJECT]
        except Exception as error:  # damaged files raise various errors
            broken = Unreadable(*_identity(distribution), error)
            unreadable.setdefault(broken.distribution, broken)
            continue
        for point in points:
            name, version = _identity(distribution)
            # Editable installs can appear twice on the path.
            provided.setdefault((name, point.name), Provided(point, name, version))
    return [provided[key] for key in sorted(provided)], list(unreadable.values())


def _identity(distribution: Distribution) -> tuple[str, str]:
    """Return name and version; the path if the metadata is missing or damaged."""
    name = version = ""
    with suppress(Exception):
        name, version = distribution.metadata["Name"], distribution.version
    path = getattr(distribution, "_path", None) or distribution.locate_file("")
    return name or str(path), version or "(no version)"


@dataclass(frozen=True)
class Plugin:
    """An entry point and its error, if it failed to load."""

    name: str
    distribution: str
    version: str
    error: str | None = None

    @property
    def label(self) -> str:
        """Distribution and version."""
        return f"{self.distribution} {self.version}"

    @property
    def title(self) -> str:
        """The label and the name of the entry point."""
        return f"{self.label} (entry point {self.name!r})"


@dataclass
class Plugins:
    """The hooks, the registry and the list of plugins."""

    manager: Hooks
    registry: Registry
    installed: list[Plugin] = field(default_factory=list)

    @property
    def observed(self) -> bool:
        """Whether any plugin observes batches."""
        return bool(self.manager.hook.maskplug_after_mask.get_hookimpls())

    def after_mask(self, masked: Masked, event: MaskingEvent) -> None:
        """Call all observers; one that raises is reported once and disabled."""
        self.manager.hook.maskplug_after_mask(**observer_arguments(masked, event))


def plugins() -> Plugins:
    """Return the plugins of this process (built-ins, entry points); load them once."""
    with _lock:
        return _load_once()


@cache
def _load_once() -> Plugins:
    if _loading:
        raise PluginError("a plugin built a strategy while it was loading; build it in a factory")
    _loading.append(True)
    try:
        provided, unreadable = entry_points()
        return load(provided, unreadable)
    finally:
        _loading.clear()


def registry() -> Registry:
    """Return the registry of this process."""
    return plugins().registry


def load(
    provided: Iterable[tuple[EntryPoint, str, str]], unreadable: Iterable[Unreadable] = ()
) -> Plugins:
    """Load the built-ins and plugins.

    Args:
        provided: entry points with the name and version of their distributions.
        unreadable: distributions whose entry points cannot be read.

    Raises:
        PluginError: when a plugin fails and ``MASKPLUG_STRICT_PLUGINS`` is set.
    """
    loaded = Plugins(Hooks(_strict), Registry())
    for name in DEFAULT_PLUGINS:
        _admit(loaded, import_module(name), BUILTIN, BUILTIN)
    for distribution, version, damage in unreadable:
        if _wanted(distribution):
            plugin = Plugin("(unreadable)", distribution, version)
            what = f"the entry points of {plugin.label} cannot be read"
            loaded.installed.append(_left_out(loaded, plugin, damage, what))
    for entry_point, distribution, version in provided:
        if not _wanted(entry_point.name, distribution):
            continue
        plugin = Plugin(entry_point.name, distribution, version)
        try:
            _admit(loaded, entry_point.load(), plugin.title, distribution)
        except PASSED_ON:
            raise
        except BaseException as error:  # a plugin must not end the process by SystemExit
            what = f"maskplug plugin {plugin.title} failed to load"
            plugin = _left_out(loaded, plugin, error, what)
        loaded.installed.append(plugin)
    return loaded


def _admit(loaded: Plugins, module: ModuleType | Any, name: str, provider: str) -> None:
    """Check the hooks of a plugin and register it; on failure, undo the registration."""
    _check_hooks(module)
    if loaded.manager.is_registered(module):
        raise PluginError("its module is already loaded through another entry point")
    additions = Registry()
    before = len(loaded.registry.entries)

    def register(kind: str, name: str, factory: Callable[..., object], version: int = 1) -> None:
        additions.add(Entry(kind, name, version, factory, provider))

    try:
        loaded.manager.register(module, name=name)
        hook = loaded.manager.subset_hook_caller(
            "maskplug_register",
            [p for p in loaded.manager.get_plugins() if p is not module],
        )
        hook(register=register)
        for entry in additions.entries:
            loaded.registry.add(entry)
    except BaseException:
        if loaded.manager.is_registered(module):  # older versions of pluggy
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
        options = member.maskplug_impl if marked else {}
        name = options.get("specname") or name
        if name not in specified and not options.get("optionalhook"):
            raise PluginError(f"{name!r} is not a hook{did_you_mean(name, specified)}")
        if not marked:
            raise PluginError(f"{name!r} lacks the decorator @maskplug.hookimpl")


def _left_out(loaded: Plugins, plugin: Plugin, error: BaseException, what: str) -> Plugin:
    """Report a plugin that failed, or raise in strict mode."""
    reason = described(error)
    if _strict():
        raise PluginError(f"{what}: {reason}") from error
    loaded.registry.failures[plugin.label] = reason
    warnings.warn(
        f"{what}: {reason}. It is skipped; everything else works. See 'maskplug plugins'; "
        "MASKPLUG_STRICT_PLUGINS=1 shows the traceback",
        MaskplugWarning,
        stacklevel=3,
    )
    return replace(plugin, error=reason)


def _strict() -> bool:
    return os.environ.get("MASKPLUG_STRICT_PLUGINS", "") not in ("", "0")


def _wanted(*names: str) -> bool:
    """Return whether MASKPLUG_LOAD_PLUGINS is unset or contains one of the names."""
    limit = os.environ.get("MASKPLUG_LOAD_PLUGINS")
    return limit is None or bool({*names} & {w.strip() for w in limit.split(",")})
