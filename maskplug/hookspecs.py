"""Every hook that a plugin can implement.

A plugin is a module named in the entry-point group ``maskplug``; it marks its functions with
``@maskplug.hookimpl``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import pluggy

from maskplug.context import MaskingEvent
from maskplug.tokens import Masked

PROJECT = "maskplug"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class Register(Protocol):
    """What :func:`maskplug_register` is given."""

    def __call__(
        self, kind: str, name: str, factory: Callable[..., object], version: int = 1
    ) -> None:
        """Offer a part or a strategy under ``name``; see :func:`maskplug_register`."""


@hookspec
def maskplug_register(register: Register) -> None:
    """Offer parts and strategies under names.

    ``register(kind, name, factory, version=1)``: ``kind`` is "strategy", "selector",
    "replacement", "target", "clock", "schedule" or "pattern". The factory of a part is its class (a
    frozen dataclass); that of a strategy is a function which returns a ``maskplug.Strategy``, and
    whose keyword arguments are the strategy's options. When masks change for the same key, register
    the new strategy or pattern under the next version and keep the old one.

    Example::

        import maskplug

        def half(clock: maskplug.Clock | str = "epoch") -> maskplug.Strategy:
            # A docstring here is what 'maskplug list' shows.
            return maskplug.compose(selector=maskplug.part("selector", "exact", rate=0.5),
                                    clock=clock)

        @maskplug.hookimpl
        def maskplug_register(register):
            register("strategy", "half", half)
    """


@hookspec
def maskplug_after_mask(masked: Masked, event: MaskingEvent) -> None:
    """Observe a batch that was just masked.

    ``masked`` and ``event.tokens`` are read-only copies; what an observer returns is ignored.
    Wrappers, ``tryfirst`` and ``trylast`` work as pluggy documents them. An observer that raises is
    reported once, and not called again. Called in the process that masked the batch, which may be a
    data-loading worker.

    Example::

        import maskplug

        @maskplug.hookimpl
        def maskplug_after_mask(masked, event):
            share = masked.selection.mask.mean()
            print(f"{event.strategy.label} at t={event.rng.t[0]}: {share:.1%} chosen")
    """
