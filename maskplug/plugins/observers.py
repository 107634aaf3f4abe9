"""Observers of masked batches: their arguments, and the handling of exceptions."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pluggy

from maskplug import hookspecs
from maskplug.context import MaskingEvent
from maskplug.errors import PASSED_ON, MaskplugWarning, PluginError, described
from maskplug.ragged import Ragged
from maskplug.tokens import Masked, Selection, TokenBatch


def observer_arguments(masked: Masked, event: MaskingEvent) -> dict[str, Any]:
    """Return the arguments of ``maskplug_after_mask``: copies on immutable memory.

    Views could be made writable again and change the caller's arrays.
    """
    return {"masked": _sealed(masked), "event": replace(event, tokens=_sealed(event.tokens))}


def _sealed(value: Any) -> Any:
    """Return a copy of arrays, and of objects that contain arrays, on immutable memory."""
    if isinstance(value, np.ndarray):
        if value.dtype.hasobject:  # bytes cannot contain objects
            value = value.copy()
            value.setflags(write=False)
            return value
        return np.ndarray(value.shape, value.dtype, value.tobytes())
    if isinstance(value, Mapping):
        return {name: _sealed(item) for name, item in value.items()}
    if isinstance(value, Masked | Ragged | Selection | TokenBatch):
        return replace(value, **{f.name: _sealed(getattr(value, f.name)) for f in fields(value)})
    return value


class Hooks(pluggy.PluginManager):
    """A plugin manager that reports a failing observer once and disables it.

    Args:
        strict: returns whether failures are raised instead.
    """

    def __init__(self, strict: Callable[[], bool]) -> None:
        super().__init__(hookspecs.PROJECT)
        self.add_hookspecs(hookspecs)
        self._strict = strict

    def register(self, plugin: object, name: str | None = None) -> str | None:
        """Register a plugin and wrap its ``maskplug_after_mask``."""
        registered = super().register(plugin, name)
        for impl in self.hook.maskplug_after_mask.get_hookimpls():
            if impl.plugin is plugin:
                _Guard(impl, self._strict)
        return registered

    def get_canonical_name(self, plugin: object) -> str:
        """Return a name for plugins that are registered without one."""
        named = getattr(plugin, "__name__", None)
        return named or f"{type(plugin).__qualname__} at {id(plugin):#x}"


class _Guard:
    """Wrapper of an observer that disables it after an exception."""

    def __init__(self, impl: pluggy.HookImpl, strict: Callable[[], bool]) -> None:
        self._function: Callable[..., Any] = impl.function
        self._plugin = impl.plugin_name
        self._strict = strict
        self._failed = False
        guarded = self._wrap if impl.wrapper or impl.hookwrapper else self._call
        impl.function = guarded  # type: ignore[misc]

    def _call(self, *args: Any, **kwargs: Any) -> Any:
        if not self._failed:
            with self._reported():
                return self._function(*args, **kwargs)
        return None

    def _wrap(self, *args: Any, **kwargs: Any) -> Generator[None, Any, Any]:
        """Run both halves of a hook wrapper; the results of other observers are unchanged."""
        wrapper = None
        if not self._failed:
            with self._reported():
                wrapper = self._function(*args, **kwargs)
                if next(wrapper, self) is self:
                    raise RuntimeError("a hook wrapper must yield exactly once")
        outcome = yield
        if wrapper is not None and not self._failed:
            with self._reported():
                try:
                    wrapper.send(outcome)
                except StopIteration:
                    return outcome
                wrapper.close()
                raise RuntimeError("a hook wrapper must yield exactly once, not twice")
        return outcome

    @contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except PASSED_ON:
            raise
        except BaseException as error:
            self._failed = True
            message = f"plugin {self._plugin} raised in maskplug_after_mask"
            if self._strict():
                raise PluginError(f"{message}: {described(error)}") from error
            warnings.warn(
                f"{message} and is no longer called: {described(error)}. Masks are not affected; "
                "MASKPLUG_STRICT_PLUGINS=1 shows the traceback",
                MaskplugWarning,
                stacklevel=4,
            )
