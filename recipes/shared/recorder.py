"""Takes down the masks that are drawn in this process, through maskplug's own observer hook."""

from __future__ import annotations

from typing import Any, NamedTuple

import maskplug
from maskplug.plugins import plugins


class Row(NamedTuple):
    """One sample's original ids, which of them were chosen, what is read, what is predicted."""

    original: list[int]
    chosen: list[bool]
    inputs: list[int]
    predicted: list[int]


class Recorder:
    """A dictionary of rows by (t, key) that fills while the recorder is used as a context.

    Args:
        limit: how many values of t to keep; later ones are not taken down.
    """

    def __init__(self, limit: int = 3) -> None:
        self.limit = limit
        self.rows: dict[tuple[int, int], Row] = {}

    @maskplug.hookimpl
    def maskplug_after_mask(self, masked: maskplug.Masked, event: maskplug.MaskingEvent) -> None:
        """Take down a batch."""
        offsets = event.tokens.offsets
        predicted = masked.labels if masked.targets is None else masked.targets
        assert predicted is not None
        columns = (
            maskplug.Ragged(event.tokens.ids, offsets),
            maskplug.Ragged(masked.selection.mask, offsets),
            masked.inputs,
            predicted,
        )
        rows = zip(*(column.to_lists() for column in columns), strict=True)
        moments = zip(event.rng.t.tolist(), event.tokens.keys.tolist(), strict=True)
        for (t, key), row in zip(moments, rows, strict=True):
            if t < self.limit:
                self.rows[t, key] = Row(*row)

    def __enter__(self) -> Recorder:
        plugins().manager.register(self)
        return self

    def __exit__(self, *exception: Any) -> None:
        plugins().manager.unregister(self)
