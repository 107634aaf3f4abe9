"""The hooks that a plugin can implement.

A plugin is a module in the entry-point group ``maskplug``; its hook functions are decorated with
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
    """Type of the argument of :func:`maskplug_register`."""

    def __call__(
        self, kind: str, name: str, factory: Callable[..., object], version: int = 1
    ) -> None:
        """Register a part or a strategy; see :func:`maskplug_register`."""


@hookspec
def maskplug_register(register: Register) -> None:
    """Register parts and strategies by name.

    ``register(kind, name, factory, version=1)``: ``kind`` is "strategy", "selector",
    "replacement", "target", "clock", "schedule" or "pattern". The factory of a part is its class (a
    frozen dataclass); that of a strategy is a function which returns a ``maskplug.Strategy``, and
    whose keyword arguments are the options. When masks change for the same key, register the new
    strategy or pattern with the next version and keep the old one.

    Example::

        import maskplug

        def half(clock: maskplug.Clock | str = "epoch") -> maskplug.Strategy:
            # 'maskplug list' shows this docstring.
            return maskplug.compose(selector=maskplug.part("selector", "exact", rate=0.5),
                                    clock=clock)

        @maskplug.hookimpl
        def maskplug_register(register):
            register("strategy", "half", half)
    """


@hookspec
def maskplug_after_mask(masked: Masked, event: MaskingEvent) -> None:
    """Observe a masked batch.

    ``masked`` and ``event.tokens`` are read-only copies; return values are ignored.
    Wrappers, ``tryfirst`` and ``trylast`` work as pluggy documents them. An observer that raises is
    reported once and not called again. Observers run in the process that masks the batch, often a
    data-loading worker.

    Example::

        import maskplug

        @maskplug.hookimpl
        def maskplug_after_mask(masked, event):
            share = masked.selection.mask.mean()
            print(f"{event.strategy.label} at t={event.rng.t[0]}: {share:.1%} chosen")
    """
